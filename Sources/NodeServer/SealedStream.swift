import Crypto
import Foundation
import NIOCore
import NodeEngine
import WireFormat

/// The keys of one stream, one for each direction.
struct StreamKeys: Sendable, Equatable {
    let sending: SymmetricKey
    let receiving: SymmetricKey

    init(_ secret: ClusterSecret, own: PeerRole, _ greetings: PeerTranscript) {
        sending = secret.streamKey(of: own, greetings)
        receiving = secret.streamKey(of: own.other, greetings)
    }
}

/// The code of a record: AES-256-GMAC (NIST SP 800-38D, GCM without a message to encrypt) under the key of one direction of
/// one stream, with the record's place in that direction as its nonce. So no nonce repeats under a key, and a record is right in
/// its own place alone: one that was altered, left out, repeated, moved or brought from another stream does not check out.
///
/// GMAC instead of HMAC-SHA-256, since it costs a fraction of it for the same bytes; block bodies, which their digests cover as
/// well, are then not worth an exception.
private struct RecordCode {
    static let byteCount = 16

    private let key: SymmetricKey
    private var place: UInt64 = 0

    init(_ key: SymmetricKey) {
        self.key = key
    }

    private mutating func nonce() throws -> AES.GCM.Nonce {
        defer { place += 1 }
        return try withUnsafeTemporaryAllocation(byteCount: 12, alignment: 8) { bytes in
            bytes.storeBytes(of: place.littleEndian, as: UInt64.self)
            bytes.storeBytes(of: 0, toByteOffset: 8, as: UInt32.self)
            return try AES.GCM.Nonce(data: UnsafeRawBufferPointer(bytes))
        }
    }

    /// The code of the next record.
    mutating func next(over bytes: UnsafeRawBufferPointer) -> Data {
        do {
            return try AES.GCM.seal(Data(), using: key, nonce: nonce(), authenticating: bytes).tag
        } catch {
            preconditionFailure("a key and a nonce of the right length are always taken: \(error)")
        }
    }

    /// Whether this is the code of the next record; compares in constant time.
    mutating func isNext(_ code: UnsafeRawBufferPointer, over bytes: UnsafeRawBufferPointer) -> Bool {
        guard let nonce = try? nonce(), let box = try? AES.GCM.SealedBox(nonce: nonce, ciphertext: Data(), tag: code) else {
            return false
        }
        return (try? AES.GCM.open(box, using: key, authenticating: bytes)) != nil
    }
}

/// Puts frames into records: the length of what it holds (u32), that, and a code over both. A record holds up to
/// `Framing.maximumRecord` bytes of frames, cut anywhere; one that holds none is a ping.
struct RecordSealer {
    private var code: RecordCode

    init(_ key: SymmetricKey) {
        code = RecordCode(key)
    }

    /// The records for these frames; a ping when there are none.
    mutating func seal(_ frames: [UInt8], _ allocator: ByteBufferAllocator) -> ByteBuffer {
        let count = max(1, (frames.count + Framing.maximumRecord - 1) / Framing.maximumRecord)
        var buffer = allocator.buffer(
            capacity: frames.count + count * (Framing.prefixLength + RecordCode.byteCount))
        frames.withUnsafeBytes { frames in
            for record in 0..<count {
                let start = record * Framing.maximumRecord
                append(
                    UnsafeRawBufferPointer(rebasing: frames[start..<min(start + Framing.maximumRecord, frames.count)]), &buffer)
            }
        }
        return buffer
    }

    private mutating func append(_ content: UnsafeRawBufferPointer, _ buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        buffer.writeInteger(UInt32(content.count), endianness: .little)
        buffer.writeBytes(content)
        let code = buffer.withUnsafeReadableBytes {
            self.code.next(over: UnsafeRawBufferPointer(rebasing: $0[(start - buffer.readerIndex)...]))
        }
        buffer.writeBytes(code)
    }
}

/// What the other side of a stream sends: the frames of the handshake in the clear, then records.
///
/// It holds at most one incomplete frame or record and what came with one read.
struct StreamInput {
    private var buffer = ByteBuffer()
    private var code: RecordCode?

    mutating func append(_ bytes: inout ByteBuffer) {
        guard buffer.readableBytes > 0 else { return swap(&buffer, &bytes) }
        buffer.discardReadBytes()
        buffer.writeBuffer(&bytes)
    }

    /// From here on there are records.
    mutating func begin(_ key: SymmetricKey) {
        code = RecordCode(key)
    }

    /// Something has begun and is not complete.
    var isInRecord: Bool { buffer.readableBytes > 0 }

    /// Bytes that came and are not yet taken.
    var count: Int { buffer.readableBytes }

    /// The body of the handshake's next frame, when all of it is there.
    mutating func nextGreeting() throws(WireError) -> ByteBuffer? {
        guard let prefix = nextLength else { return incomplete() }
        let length = try Framing.bodyLength(prefix, maximum: Framing.maximumHelloFrame)
        guard buffer.readableBytes >= Framing.prefixLength + length else { return incomplete() }
        buffer.moveReaderIndex(forwardBy: Framing.prefixLength)
        return buffer.readSlice(length: length)
    }

    /// What the next record holds, when all of it is there and its code is right. Nothing of a record is believed before.
    mutating func nextRecord() throws(WireError) -> ByteBuffer? {
        guard let prefix = nextLength else { return incomplete() }
        guard prefix <= Framing.maximumRecord else { throw WireError("a record of \(prefix) bytes") }
        let covered = Framing.prefixLength + Int(prefix)
        guard buffer.readableBytes >= covered + RecordCode.byteCount else { return incomplete() }
        let isRight = buffer.withUnsafeReadableBytes { bytes in
            code?.isNext(
                UnsafeRawBufferPointer(rebasing: bytes[covered..<covered + RecordCode.byteCount]),
                over: UnsafeRawBufferPointer(rebasing: bytes[..<covered]))
        }
        guard isRight == true else { throw WireError("a record's code does not match: it was altered, or is not the next") }
        buffer.moveReaderIndex(forwardBy: Framing.prefixLength)
        let content = buffer.readSlice(length: Int(prefix))
        buffer.moveReaderIndex(forwardBy: RecordCode.byteCount)
        return content
    }

    /// A few bytes must not keep the large buffer that they came in, least of all those of a stranger.
    private mutating func incomplete() -> ByteBuffer? {
        if buffer.storageCapacity > max(1024, 4 * buffer.readableBytes) { buffer = ByteBuffer(bytes: buffer.readableBytesView) }
        return nil
    }

    private var nextLength: UInt32? {
        buffer.getInteger(at: buffer.readerIndex, endianness: .little)
    }
}
