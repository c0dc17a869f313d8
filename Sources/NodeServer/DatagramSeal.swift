package import Consensus
import EventLog
package import WireFormat

/// A datagram: magic, version, cluster, sender, receiver, the sender's epoch and counter, the message, and a code over all of it.
///
/// The epoch is a random number of the sender's present run, which its greetings name: datagrams of an earlier run never count,
/// whatever became of the sender's disk in between.
///
/// Anything that does not check out is dropped and counted. Loss, repetition, reordering or replay of any datagram may
/// cost time, never safety: that is the protocol's doing, not this code's.
package struct DatagramSeal {
    private static let magic: UInt32 = 0x5544_424a  // "JBDU"
    private static let version: UInt8 = 1
    private static let headerBytes = 45
    static let maximumBytes = 1200

    private let secret: ClusterSecret
    private let cluster: UInt64
    private let own: NodeID
    private let epoch: UInt64
    private var counter: UInt64 = 0
    private var windows: [NodeID: ReplayWindow] = [:]
    private(set) var refused: UInt64 = 0

    package init(secret: ClusterSecret, cluster: String, own: NodeID, epoch: UInt64) {
        self.secret = secret
        self.cluster = BlockCodec.clusterTag(cluster)
        self.own = own
        self.epoch = epoch
    }

    package mutating func close(_ frame: PeerFrame, to peer: NodeID) -> [UInt8]? {
        counter += 1
        var writer = ByteWriter()
        writer.u32(Self.magic)
        writer.u8(Self.version)
        writer.u64(cluster)
        writer.u64(own.rawValue)
        writer.u64(peer.rawValue)
        writer.u64(epoch)
        writer.u64(counter)
        writer.raw(PeerCodec.encodeBody(frame))
        guard writer.bytes.count + ClusterSecret.codeBytes <= Self.maximumBytes else { return nil }
        writer.raw(secret.code(over: writer.bytes))
        return writer.bytes
    }

    package enum Opened: Equatable {
        case frame(PeerFrame)
        /// Of a node of the cluster, in an epoch that its last greeting did not name: it has just started, or is late.
        case otherEpoch
        case refused
    }

    /// `agreed`: the epoch that a peer's last greeting named, nil before the first.
    package mutating func open(_ bytes: [UInt8], agreed: (NodeID) -> UInt64?) -> Opened {
        guard let opened = checked(bytes, agreed) else {
            refused += 1
            return .refused
        }
        return opened
    }

    private mutating func checked(_ bytes: [UInt8], _ agreed: (NodeID) -> UInt64?) -> Opened? {
        let end = bytes.count - ClusterSecret.codeBytes
        guard end > Self.headerBytes, bytes.count <= Self.maximumBytes,
            secret.isValid(bytes[end...], over: bytes[..<end])
        else { return nil }
        return bytes.withUnsafeBytes { all in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: all[..<Self.headerBytes]))
            guard let magic = try? reader.u32(), magic == Self.magic, let version = try? reader.u8(), version == Self.version,
                let cluster = try? reader.u64(), cluster == self.cluster, let from = try? reader.u64(),
                let to = try? reader.u64(), to == own.rawValue, let epoch = try? reader.u64(),
                let counter = try? reader.u64()
            else { return nil }
            let sender = NodeID(from)
            guard agreed(sender) == epoch else { return .otherEpoch }
            guard windows[sender, default: ReplayWindow()].accept(epoch: epoch, counter: counter) else { return nil }
            let body = UnsafeRawBufferPointer(rebasing: all[Self.headerBytes..<end])
            // No entries travel in datagrams.
            let frame = try? PeerCodec.decodeBody(body) { _ in throw WireError("a block in a datagram") }
            return frame.flatMap { $0.from == sender ? .frame($0) : nil }
        }
    }
}
