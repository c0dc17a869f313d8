/// From a job's identity to its slot. Split into 2,048 tables by bits of the hash, so that the first write after a copy (a
/// snapshot's view) copies one table and not all, and so that growing rehashes one table at a time.
///
/// Open addressing with linear probing, and no tombstones: a lookup reads one line of memory or two, where the standard
/// dictionary reads four. Each command looks its job up, on the leader twice.
struct SplitMap: Sendable {
    private struct Entry: Sendable {
        var id: JobID
        /// Below 0 where there is none.
        var slot: Int32

        static let vacant = Entry(id: JobID(high: 0, low: 0), slot: -1)
    }

    private struct Table: Sendable {
        /// As many as a power of two says, or none; at least a quarter is vacant.
        var entries: ContiguousArray<Entry> = []
        var count = 0
    }

    private static let tables = 2048

    private var tables = ContiguousArray(repeating: Table(), count: Self.tables)
    /// Other ones in each process, so that nobody can choose identities that all meet in one place. Nothing depends on them
    /// but places: nobody walks the tables.
    private let keys = (UInt64(bitPattern: Int64(0.hashValue)), UInt64(bitPattern: Int64(1.hashValue)) | 1)
    private(set) var count = 0

    /// Setting a value for a new identity adds it; setting nil removes it.
    subscript(id: JobID) -> Int32? {
        get {
            let hash = hash(id)
            let table = table(hash)
            guard let place = place(of: id, hash, tables[table].entries), tables[table].entries[place].slot >= 0 else {
                return nil
            }
            return tables[table].entries[place].slot
        }
        set {
            if let newValue { set(id, newValue) } else { remove(id) }
        }
    }

    private mutating func set(_ id: JobID, _ slot: Int32) {
        precondition(slot >= 0, "a slot is counted from 0")
        let hash = hash(id)
        let table = table(hash)
        if let place = place(of: id, hash, tables[table].entries), tables[table].entries[place].slot >= 0 {
            tables[table].entries[place].slot = slot
            return
        }
        if 4 * (tables[table].count + 1) > 3 * tables[table].entries.count { grow(table) }
        guard let place = place(of: id, hash, tables[table].entries) else {
            preconditionFailure("a table has grown and has no room")
        }
        tables[table].entries[place] = Entry(id: id, slot: slot)
        tables[table].count += 1
        count += 1
    }

    private mutating func remove(_ id: JobID) {
        let hash = hash(id)
        let table = table(hash)
        guard var hole = place(of: id, hash, tables[table].entries), tables[table].entries[hole].slot >= 0 else { return }
        let mask = tables[table].entries.count - 1
        var next = hole
        // What stands behind the hole and could not stand before it moves up (Knuth, volume 3, section 6.4, algorithm R).
        while true {
            next = (next + 1) & mask
            let entry = tables[table].entries[next]
            guard entry.slot >= 0 else { break }
            let home = Self.home(self.hash(entry.id), mask)
            guard (next - home) & mask >= (next - hole) & mask else { continue }
            tables[table].entries[hole] = entry
            hole = next
        }
        tables[table].entries[hole] = .vacant
        tables[table].count -= 1
        count -= 1
    }

    private mutating func grow(_ table: Int) {
        let old = tables[table].entries
        tables[table].entries = ContiguousArray(repeating: .vacant, count: max(8, 2 * old.count))
        for entry in old where entry.slot >= 0 {
            guard let place = place(of: entry.id, hash(entry.id), tables[table].entries) else { continue }
            tables[table].entries[place] = entry
        }
    }

    /// Where an identity stands, or the vacant place where it would; nil in a table without places.
    @inline(__always)
    private func place(of id: JobID, _ hash: UInt64, _ entries: ContiguousArray<Entry>) -> Int? {
        guard !entries.isEmpty else { return nil }
        let mask = entries.count - 1
        var place = Self.home(hash, mask)
        while entries[place].slot >= 0, entries[place].id != id { place = (place + 1) & mask }
        return place
    }

    @inline(__always)
    private static func home(_ hash: UInt64, _ mask: Int) -> Int {
        Int(truncatingIfNeeded: hash >> 11) & mask
    }

    @inline(__always)
    private func table(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash & UInt64(Self.tables - 1))
    }

    /// Both halves with the keys, multiplied, and the product folded (as in wyhash).
    @inline(__always)
    private func hash(_ id: JobID) -> UInt64 {
        let product = (id.high ^ keys.0).multipliedFullWidth(by: id.low ^ keys.1)
        return product.high ^ product.low
    }
}
