import Jobboard
import WireFormat

/// Puts the right end behind the bytes of a state. Written from the description in `NodeEngine/SnapshotFormat.swift`.
struct StateSealer {
    private let bytes: UnsafeRawBufferPointer
    private var place = 8
    private var records: UInt64 = 0

    /// The bytes as they are when no machine comes of them.
    static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { raw in
            var sealer = StateSealer(bytes: raw)
            guard let fingerprint = try? sealer.restore() else { return bytes }
            var writer = ByteWriter()
            writer.raw(Array(bytes[..<sealer.place]))
            let frame = writer.beginFrame()
            writer.u8(255)
            writer.varint(sealer.records)
            writer.varint(UInt64(sealer.place))
            writer.u64(fingerprint)
            writer.endFrame(frame)
            return writer.bytes
        }
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private mutating func record() throws -> ByteReader {
        guard place + 4 <= bytes.count else { throw WireError("no record") }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
        guard length <= bytes.count - place - 4 else { throw WireError("no whole record") }
        let start = place + 4
        place = start + length
        records += 1
        return ByteReader(UnsafeRawBufferPointer(rebasing: bytes[start..<place]))
    }

    /// The fingerprint of what the records make.
    private mutating func restore() throws -> UInt64 {
        var state = try record()
        _ = try state.u8()
        _ = try state.varint()
        var restorer = try BoardRestorer(limits: BoardLimits(), counters: try state.savedCounters())
        for section in 1...5 {
            var head = try record()
            _ = try head.u8()
            var left = try head.varint()
            while left > 0 {
                try restore(section, into: &restorer)
                left -= 1
            }
        }
        return try restorer.finish().fingerprint()
    }

    private mutating func restore(_ section: Int, into restorer: inout BoardRestorer) throws {
        var item = try record()
        switch section {
        case 1: try restorer.add(try item.savedBoard())
        case 2: try restorer.add(try item.savedJob())
        case 3: try restorer.addCompleted(try item.savedJob())
        case 4:
            try restorer.add(try item.savedSession())
            var left = try item.varint()
            while left > 0 {
                var outcome = try record()
                try restorer.add(try outcome.savedOutcome())
                left -= 1
            }
        default: break
        }
    }
}
