import NIOCore
import Testing
import Transport
import WireFormat

@Suite struct FrameSplitterTests {
    private func frame(_ bytes: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(bytes), endianness: .little)
        buffer.writeRepeatingByte(7, count: bytes)
        return buffer
    }

    /// Each read ends in the middle of a frame, so that the buffer is never exactly empty.
    @Test func `a stream whose reads never end with a frame takes no more memory than a frame and a read`() throws {
        var stream = ByteBuffer()
        for _ in 0..<64 { stream.writeImmutableBuffer(frame(1000)) }
        var splitter = FrameSplitter()
        var (frames, largest) = (0, 0)
        var first = try #require(stream.readSlice(length: 500))
        splitter.append(&first)
        for _ in 0..<200 {
            var rest = stream
            while rest.readableBytes > 0 {
                var piece = try #require(rest.readSlice(length: min(1004, rest.readableBytes)))
                splitter.append(&piece)
                while let body = try splitter.next(maximum: 2000) {
                    #expect(body.readableBytes == 1000)
                    frames += 1
                }
                largest = max(largest, splitter.capacity)
            }
            // The stream as a whole begins and ends in a frame's middle.
            var again = frame(1000)
            var head = try #require(again.readSlice(length: 500))
            splitter.append(&head)
        }
        #expect(frames > 10_000)
        #expect(largest <= 16 << 10, "\(largest) bytes are held")
    }

    @Test func `a few bytes behind a large frame don't keep its buffer`() throws {
        var splitter = FrameSplitter()
        var bytes = frame(1 << 20)
        bytes.writeBytes([1, 0])
        splitter.append(&bytes)
        #expect(try splitter.next(maximum: 2 << 20)?.readableBytes == 1 << 20)
        #expect(try splitter.next(maximum: 2 << 20) == nil)
        #expect(splitter.count == 2)
        #expect(splitter.capacity <= 1024, "\(splitter.capacity) bytes are held")
    }

    @Test func `a frame that comes byte by byte is the same frame`() throws {
        var splitter = FrameSplitter()
        var found: [Int] = []
        for byte in [frame(5), frame(300), frame(1)].flatMap({ Array($0.readableBytesView) }) {
            var one = ByteBuffer(bytes: [byte])
            splitter.append(&one)
            while let body = try splitter.next(maximum: 400) { found.append(body.readableBytes) }
        }
        #expect(found == [5, 300, 1])
        #expect(splitter.count == 0)
    }
}
