import Consensus
import NIOCore
import Testing
import WireFormat

@testable import NodeServer

@Suite struct SealedStreamTests {
    private static func keys(_ role: PeerRole, stream: UInt8 = 0) -> StreamKeys {
        let greetings = [stream].withUnsafeBytes { PeerTranscript(dialer: $0, acceptor: $0) }
        return StreamKeys(ClusterSecret("s", cluster: "c"), own: role, greetings)
    }

    private static func sealer(stream: UInt8 = 0) -> RecordSealer { RecordSealer(keys(.dialer, stream: stream).sending) }

    private static func seal(_ frames: [UInt8], with sealer: inout RecordSealer) -> [UInt8] {
        Array(sealer.seal(frames, ByteBufferAllocator()).readableBytesView)
    }

    /// Everything that the receiver accepts of these bytes, read in pieces of this size, and why it stopped.
    private static func open(_ bytes: [UInt8], piece: Int = .max, stream: UInt8 = 0) -> (records: [[UInt8]], error: WireError?) {
        var input = StreamInput()
        input.begin(keys(.acceptor, stream: stream).receiving)
        var records: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            var buffer = ByteBuffer(bytes: rest.prefix(piece))
            rest = rest.dropFirst(piece)
            input.append(&buffer)
            do throws(WireError) {
                while let record = try input.nextRecord() { records.append(Array(record.readableBytesView)) }
            } catch {
                return (records, error)
            }
        }
        return (records, nil)
    }

    @Test(arguments: [1, 2, 7, 1000, .max] as [Int]) func `what was sealed comes out, however it is cut`(piece: Int) {
        var sealer = Self.sealer()
        let large = (0..<(piece == 1 ? 500 : 150_000)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let bytes = Self.seal([1, 2, 3], with: &sealer) + Self.seal([], with: &sealer) + Self.seal(large, with: &sealer)
        let (records, error) = Self.open(bytes, piece: piece)
        #expect(error == nil)
        #expect(records.prefix(2) == [[1, 2, 3], []])
        #expect(records.dropFirst(2).flatMap { $0 } == large)
        #expect(records.allSatisfy { $0.count <= Framing.maximumRecord })
    }

    @Test func `an altered bit anywhere ends the stream before anything of its record is believed`() {
        var sealer = Self.sealer()
        let records: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 9, count: 40)]
        let sealed = records.map { Self.seal($0, with: &sealer) }
        let bytes = sealed.flatMap { $0 }
        let starts = [0, sealed[0].count, sealed[0].count + sealed[1].count]
        for bit in 0..<bytes.count * 8 {
            var altered = bytes
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            let whole = starts.lastIndex { $0 <= bit / 8 } ?? 0
            let (opened, error) = Self.open(altered)
            #expect(opened == Array(records[..<whole]), "bit \(bit)")
            // A length that has grown waits for bytes that never come: the watch ends that.
            if error == nil { #expect(starts.contains { (0..<4).contains(bit / 8 - $0) }, "bit \(bit)") }
        }
    }

    @Test func `a record that is left out, repeated, moved or cut off is refused`() {
        var sealer = Self.sealer()
        let sealed = (1...3).map { Self.seal([UInt8($0)], with: &sealer) }
        for order in [[1], [0, 0], [0, 2], [0, 2, 1], [1, 0], [0, 1, 0]] {
            let (opened, error) = Self.open(order.flatMap { sealed[$0] })
            let right = zip(order, 0...).prefix { $0 == $1 }.count
            #expect(opened == sealed[..<right].indices.map { [UInt8($0 + 1)] }, "\(order)")
            #expect(error != nil, "\(order)")
        }
        let cut = Array(sealed[0].dropLast()) + sealed[1]
        #expect(Self.open(cut).records.isEmpty)
        #expect(Self.open(cut).error != nil)
    }

    @Test func `a record of another stream, or of the other direction, is refused`() {
        var other = Self.sealer(stream: 1)
        #expect(Self.open(Self.seal([1], with: &other)).error != nil)
        var back = RecordSealer(Self.keys(.acceptor).sending)
        #expect(Self.open(Self.seal([1], with: &back)).error != nil)
        var right = Self.sealer(stream: 1)
        #expect(Self.open(Self.seal([1], with: &right), stream: 1).records == [[1]])
    }

    @Test func `a length beyond a record's is refused before its bytes are there`() {
        let length = UInt32(Framing.maximumRecord + 1)
        let (records, error) = Self.open(withUnsafeBytes(of: length.littleEndian) { Array($0) })
        #expect(records.isEmpty)
        #expect(error == WireError("a record of \(length) bytes"))
    }

    @Test func `a record has these bytes`() {
        // Length, content, and AES-256-GMAC over both under the key of the dialler's direction with nonce 0.
        var sealer = Self.sealer()
        let bytes = Self.seal([0xaa, 0xbb], with: &sealer)
        #expect(bytes.count == 4 + 2 + 16)
        #expect(bytes.prefix(6) == [2, 0, 0, 0, 0xaa, 0xbb])
    }
}
