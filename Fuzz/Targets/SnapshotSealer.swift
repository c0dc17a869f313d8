import EventLog

/// Makes the digests of a snapshot's file right. Written from the description in `EventLog/SnapshotWriter.swift` and
/// `EventLog/SnapshotContents.swift`.
enum SnapshotSealer {
    private static let (headBytes, entryBytes, tailBytes) = (88, 20, 24)

    /// How the file is called.
    static func name(_ index: UInt64) -> String {
        let text = String(index)
        return "snapshot-" + String(repeating: "0", count: max(0, 8 - text.utf8.count)) + text
    }

    /// The file and the entry that it says it reaches to; nil when it has no room for a table of the length that its tail says.
    static func sealed(_ bytes: [UInt8]) -> (file: [UInt8], index: UInt64)? {
        guard bytes.count >= tailBytes else { return nil }
        var file = bytes
        let tail = file.count - tailBytes
        let chunks = max(0, Int(file.number32(at: tail + 4)) - headBytes) / entryBytes
        let tableBytes = headBytes + chunks * entryBytes
        let table = tail - tableBytes - 4 * chunks
        guard table >= 0 else { return nil }
        var (place, total) = (0, UInt64(0))
        for chunk in 0..<chunks {
            let (entry, lengthAt) = (table + headBytes + chunk * entryBytes, table + tableBytes + 4 * chunk)
            // The last chunk takes what is left.
            if chunk == chunks - 1, place <= table { file.put(UInt32(table - place), at: lengthAt) }
            let end = place + Int(file.number32(at: lengthAt))
            let length = file.number32(at: entry + 16)
            // A compressed one keeps its digest.
            if end <= table, end - place == Int(length) { file.put(Digests.of(file[place..<end]), at: entry) }
            (place, total) = (end, total + UInt64(length))
        }
        file.put(BlockCodec.clusterTag(Digests.cluster), at: table + 8)
        file.put(UInt32(chunks), at: table + 72)
        file.put(total, at: table + 80)
        file.put(UInt32(tableBytes), at: tail + 4)
        file.put(Digests.of(file[table..<tail]), at: tail + 8)
        let index = file[table + 16..<table + 24].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (file, index)
    }
}
