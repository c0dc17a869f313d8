package import NIOCore
package import WireFormat

/// Cuts a TCP stream into frames, and keeps little more than the frame that is still incomplete.
///
/// Between two reads it holds at most twice the bytes of the incomplete frame, or a kilobyte or so, however much has passed
/// through it and however large the buffers were that it came in.
package struct FrameSplitter {
    /// Below this a buffer is not worth shrinking.
    private static let smallBytes = 1024

    private var buffer = ByteBuffer()

    package init() {}

    /// Bytes that came and are not in a frame that was given out.
    package var count: Int { buffer.readableBytes }

    /// The memory that it holds, in bytes.
    package var capacity: Int { buffer.storageCapacity }

    package mutating func append(_ bytes: inout ByteBuffer) {
        guard buffer.readableBytes > 0 else { return swap(&buffer, &bytes) }
        // Only where at least as much goes as is moved, so that each byte is moved once on average.
        if buffer.readerIndex >= buffer.readableBytes { buffer.discardReadBytes() }
        buffer.writeBuffer(&bytes)
    }

    /// The body of the next frame, when all of it is here. Throws when the length can't be meant; then the stream is lost.
    package mutating func next(maximum: Int) throws(WireError) -> ByteBuffer? {
        guard let prefix = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt32.self) else {
            shrink()
            return nil
        }
        let length = try Framing.bodyLength(prefix, maximum: maximum)
        guard buffer.readableBytes >= Framing.prefixLength + length else {
            shrink()
            return nil
        }
        buffer.moveReaderIndex(forwardBy: Framing.prefixLength)
        return buffer.readSlice(length: length)
    }

    /// A few bytes of the next frame must not keep the large buffer of the last ones.
    private mutating func shrink() {
        guard buffer.storageCapacity > max(Self.smallBytes, 4 * buffer.readableBytes) else { return }
        buffer = buffer.readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: buffer.readableBytesView)
    }
}
