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
        var whole = frame(1000)
        let head = whole.readSlice(length: 500) ?? ByteBuffer()
        var splitter = FrameSplitter()
        var (frames, largest) = (0, 0)
        var first = ByteBuffer(bytes: head.readableBytesView)
        splitter.append(&first)
        for _ in 0..<10_000 {
            // The rest of a frame and the beginning of the next.
            var read = ByteBuffer(bytes: whole.readableBytesView)
            read.writeImmutableBuffer(head)
            splitter.append(&read)
            while let body = try splitter.next(maximum: 2000) {
                #expect(body.readableBytes == 1000)
                frames += 1
            }
            largest = max(largest, splitter.capacity)
        }
        #expect(frames == 10_000)
        #expect(largest <= 16 << 10, "\(largest) bytes are held")
    }

    @Test func `a few bytes behind a large frame don't keep its buffer`() throws {
        var splitter = FrameSplitter()
        var bytes = frame(1 << 20)
        bytes.writeBytes([1, 0])
        splitter.append(&bytes)
        let first = try splitter.next(maximum: 2 << 20)
        let second = try splitter.next(maximum: 2 << 20)
        #expect(first?.readableBytes == 1 << 20 && second == nil)
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
