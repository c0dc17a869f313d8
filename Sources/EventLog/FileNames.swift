/// The names of the log's files in the data folder; files of other names are not the log's.
enum FileNames {
    static let superblock = "superblock"
    /// A superblock that becomes `superblock` once it is whole.
    static let newSuperblock = "superblock.new"
    /// Files that become spares or the first segment once they are whole; nothing in them counts.
    static let filling = "filling"
    static let preparing = "preparing"
    /// A snapshot that gets its name once it is whole.
    static let newSnapshot = "snapshot.new"
    /// The same, of one that was fetched.
    static let fetchedSnapshot = "snapshot.fetched"
    private static let digits = 8

    static func segment(_ number: UInt64) -> String { "segment-" + padded(number) }
    static func spare(_ number: UInt64) -> String { "spare-" + padded(number) }
    static func patch(_ number: UInt64) -> String { "patch-" + padded(number) }

    /// The segment's number, when it is a segment's name.
    static func segmentNumber(_ name: String) -> UInt64? { number(name, after: "segment-") }
    /// A snapshot of the state machine up to this entry.
    static func snapshot(_ index: UInt64) -> String { "snapshot-" + padded(index) }
    static func snapshotIndex(_ name: String) -> UInt64? { number(name, after: "snapshot-", atMost: .max) }
    /// The pieces of a snapshot that is being fetched.
    static func partialSnapshot(_ index: UInt64) -> String { "fetching-" + padded(index) }
    static func partialSnapshotIndex(_ name: String) -> UInt64? { number(name, after: "fetching-", atMost: .max) }
    /// The next one's number must fit in 32 bits too.
    static func patchNumber(_ name: String) -> UInt64? { number(name, after: "patch-", atMost: UInt64(Int32.max)) }
    static func isSpare(_ name: String) -> Bool { number(name, after: "spare-") != nil }

    private static func padded(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }

    private static func number(
        _ name: String, after prefix: String, atMost limit: UInt64 = UInt64(UInt32.max)
    ) -> UInt64? {
        guard name.hasPrefix(prefix) else { return nil }
        let text = name.dropFirst(prefix.count)
        guard let number = UInt64(text), number <= limit, padded(number) == text else { return nil }
        return number
    }
}
