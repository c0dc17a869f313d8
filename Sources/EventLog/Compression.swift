import CLZ4

/// LZ4's block format; the one file that speaks to the C library.
enum Compression {
    /// Gives `body` the compressed bytes, or nil when they would be more than `limit`.
    ///
    /// The bytes live only for the call, so that the caller makes one array of the exact size.
    static func withCompressed<Result>(
        _ raw: UnsafeRawBufferPointer, limit: Int, _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        guard limit > 0, !raw.isEmpty, raw.count <= Int(LZ4_MAX_INPUT_SIZE) else { return body(nil) }
        return withUnsafeTemporaryAllocation(byteCount: limit, alignment: 16) { scratch in
            let source = raw.bindMemory(to: CChar.self).baseAddress
            let target = scratch.bindMemory(to: CChar.self).baseAddress
            let count = LZ4_compress_default(source, target, Int32(raw.count), Int32(limit))
            return body(count > 0 ? scratch.part(0..<Int(count)) : nil)
        }
    }

    /// True when `stored` decompresses to exactly as many bytes as `target` holds. Total on garbage.
    static func decompress(_ stored: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        guard stored.count <= Int(Int32.max), target.count <= Int(LZ4_MAX_INPUT_SIZE) else { return false }
        let source = stored.bindMemory(to: CChar.self).baseAddress
        let destination = target.bindMemory(to: CChar.self).baseAddress
        return LZ4_decompress_safe(source, destination, Int32(stored.count), Int32(target.count)) == Int32(target.count)
    }
}
