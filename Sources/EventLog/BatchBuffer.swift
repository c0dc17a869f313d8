/// The frames of one sync batch, page-aligned and used again for every batch. It grows to the largest batch seen.
final class BatchBuffer {
    private(set) var count = 0
    private var memory: UnsafeMutableRawBufferPointer

    init() {
        memory = .allocate(byteCount: 64 << 10, alignment: Int(pageBytes))
    }

    deinit {
        memory.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { memory.part(0..<count) }

    /// Adds a frame; `fill` writes the payload, which has `prefix.payloadLength` bytes.
    func add(_ prefix: FramePrefix, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let end = count + Int(prefix.byteCount)
        reserve(end)
        let frame = UnsafeMutableRawBufferPointer(rebasing: memory[count..<end])
        fill(UnsafeMutableRawBufferPointer(rebasing: frame[FramePrefix.byteCount...]))
        prefix.write(to: frame)
        count = end
    }

    /// Fills up to a whole number of pages with zeros.
    func pad() {
        let end = Int(roundUp(UInt64(count), to: pageBytes))
        reserve(end)
        _ = memory[count..<end].initializeMemory(as: UInt8.self, repeating: 0)
        count = end
    }

    func removeAll() {
        count = 0
    }

    private func reserve(_ capacity: Int) {
        guard capacity > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(Int(roundUp(UInt64(capacity), to: pageBytes)), memory.count * 2), alignment: Int(pageBytes))
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }
}
