/// One file of a `SimulatedDisk`: what reads see, and what would be left without power.
struct SimulatedFile {
    static let sectorBytes = 512

    /// What reads see, but for rot: the page cache.
    private var seen: [UInt8] = []
    /// What is on the platter.
    private var durable: [UInt8] = []
    /// Sectors of `seen` that a sync has still to write.
    private var dirty: Set<Int> = []
    /// A sync failed: `seen` has bytes that no later sync will write.
    private var lostWrites = false
    /// Bits that reads get turned, by byte, until the byte is written anew.
    private var rot: [Int: UInt8] = [:]

    var count: Int { seen.count }
    var isRotten: Bool { !rot.isEmpty }

    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard !bytes.isEmpty else { return }
        let end = offset + bytes.count
        Self.grow(&seen, to: end)
        seen.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset..<end]).copyMemory(from: bytes) }
        dirty.formUnion(offset / Self.sectorBytes...(end - 1) / Self.sectorBytes)
        if isRotten {
            for place in offset..<end { rot[place] = nil }
        }
    }

    func read(_ range: Range<Int>) -> [UInt8] {
        var bytes = Array(seen[range])
        if isRotten {
            for place in range { bytes[place - range.lowerBound] ^= rot[place] ?? 0 }
        }
        return bytes
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
    mutating func crash(using generator: inout some RandomNumberGenerator) -> CrashLoss {
        var loss = CrashLoss()
        let growth = seen.count > durable.count && generator.next() & 1 == 0
        if growth { Self.grow(&durable, to: seen.count) }
        for sector in dirty.sorted() {
            let range = range(sector).clamped(to: 0..<durable.count)
            switch generator.next() % 5 {
            case 0, 1: loss.sectors += 1
            case 2, 3: copyToPlatter(range)
            default:
                loss.garbledSectors += 1
                for place in range { durable[place] = UInt8(truncatingIfNeeded: generator.next()) }
            }
        }
        seen = durable
        dirty.removeAll()
        lostWrites = false
        return loss
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

    /// Rot: these bits of a byte turn.
    mutating func turn(_ mask: UInt8, ofByte place: Int) {
        precondition(place < seen.count, "no byte \(place) to rot")
        let bits = (rot[place] ?? 0) ^ mask
        rot[place] = bits == 0 ? nil : bits
    }

    /// Every byte that was not written anew is what it was before it rotted.
    mutating func cure() { rot.removeAll() }

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
