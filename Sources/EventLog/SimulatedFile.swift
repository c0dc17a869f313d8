/// One file of a `SimulatedDisk`: what reads see, and what would be left without power.
struct SimulatedFile {
    static let sectorBytes = 512

    /// What reads see: the page cache.
    private(set) var seen: [UInt8] = []
    /// What is on the platter.
    private(set) var durable: [UInt8] = []
    /// Sectors of `seen` that a sync has still to write.
    private var dirty: Set<Int> = []
    /// A sync failed: `seen` has bytes that no later sync will write.
    private var lostWrites = false

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard !bytes.isEmpty else { return }
        let end = offset + bytes.count
        Self.grow(&seen, to: end)
        seen.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset..<end]).copyMemory(from: bytes) }
        dirty.formUnion(offset / Self.sectorBytes...(end - 1) / Self.sectorBytes)
    }

    mutating func sync() {
        Self.grow(&durable, to: seen.count)
        for sector in dirty { copyToPlatter(range(sector)) }
        dirty.removeAll()
    }

    /// The pages count as clean although nothing was written (Rebello et al., table 1).
    mutating func failSync() {
        dirty.removeAll()
        lostWrites = true
    }

    /// A new opening: writes what is still to be written, and answers from the platter from now on.
    mutating func reopen() {
        sync()
        if lostWrites { seen = durable }
        lostWrites = false
    }

    /// The power fails: each sector that was not synced is old, new or garbage, and so is the file's length.
    mutating func crash(using generator: inout some RandomNumberGenerator) {
        let growth = seen.count > durable.count && generator.next() & 1 == 0
        if growth { Self.grow(&durable, to: seen.count) }
        for sector in dirty.sorted() {
            let range = range(sector).clamped(to: 0..<durable.count)
            switch generator.next() % 5 {
            case 0, 1: break
            case 2, 3: copyToPlatter(range)
            default: for place in range { durable[place] = UInt8(truncatingIfNeeded: generator.next()) }
            }
        }
        seen = durable
        dirty.removeAll()
        lostWrites = false
    }

    /// The power fails, and what was not synced ends as the caller decides.
    mutating func crash(deciding decide: (Unsynced) -> Fate) {
        if seen.count > durable.count, decide(.length) == .new { Self.grow(&durable, to: seen.count) }
        for sector in dirty.sorted() {
            let range = range(sector).clamped(to: 0..<durable.count)
            switch decide(.sector(old: durable[range], new: seen[range])) {
            case .old: break
            case .new: copyToPlatter(range)
            case .garbage(let bytes): durable.replaceSubrange(range, with: bytes)
            }
        }
        seen = durable
        dirty.removeAll()
        lostWrites = false
    }

    /// Rot: one bit turns, on the platter and in what reads see.
    mutating func flip(byte: Int, bit: Int) {
        precondition(byte < seen.count && byte < durable.count && (0..<8).contains(bit), "no byte \(byte) to flip")
        seen[byte] ^= 1 << UInt8(bit)
        durable[byte] ^= 1 << UInt8(bit)
    }

    private mutating func copyToPlatter(_ range: Range<Int>) {
        seen.withUnsafeBytes { source in
            durable.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[range]).copyMemory(from: source.part(range))
            }
        }
    }

    private static func grow(_ bytes: inout [UInt8], to count: Int) {
        if bytes.count < count { bytes += [UInt8](repeating: 0, count: count - bytes.count) }
    }

    private func range(_ sector: Int) -> Range<Int> {
        sector * Self.sectorBytes..<min((sector + 1) * Self.sectorBytes, seen.count)
    }
}
