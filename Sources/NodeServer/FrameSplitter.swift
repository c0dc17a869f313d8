import NIOCore
import WireFormat

/// Cuts a TCP stream into frames.
struct FrameSplitter {
    private var buffer = ByteBuffer()

    mutating func append(_ bytes: inout ByteBuffer) {
        if buffer.readableBytes == 0 {
            swap(&buffer, &bytes)
        } else {
            buffer.writeBuffer(&bytes)
        }
    }

    /// The body of the next frame, when all of it is here. Throws when the length can't be meant; then the stream is lost.
    mutating func next(maximum: Int) throws(WireError) -> ByteBuffer? {
        guard let prefix = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt32.self) else { return nil }
        let length = try Framing.bodyLength(prefix, maximum: maximum)
        guard buffer.readableBytes >= Framing.prefixLength + length else { return nil }
        buffer.moveReaderIndex(forwardBy: Framing.prefixLength)
        let body = buffer.readSlice(length: length)
        if buffer.readableBytes == 0 { buffer.clear() }
        return body
    }
}
