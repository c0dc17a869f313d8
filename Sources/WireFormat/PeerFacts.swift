package import Consensus

/// What a node says about itself in the extensions of its greeting. Another node believes it once the sender has proved that it
/// knows the secret.
package struct PeerFacts: Sendable, Equatable {
    /// Which nodes decide together in shard 0, by `Membership`'s digest, and their ids for the message when the digests differ.
    package var membership: Digest
    package var members: [UInt64]
    /// By chance, another one each time the process starts: only datagrams that carry it are from this run of the node.
    package var epoch: UInt64
    /// The sender checks its files: it has no stream to send on, and goes away after the handshake.
    package var isCheck: Bool

    /// As many as a greeting names.
    package static let mostMembers = 64

    package init(membership: Digest, members: [UInt64], epoch: UInt64, isCheck: Bool = false) {
        precondition(members.count <= Self.mostMembers, "\(members.count) members")
        self.membership = membership
        self.members = members
        self.epoch = epoch
        self.isCheck = isCheck
    }

    /// The extensions' types.
    private enum Kind: UInt64 {
        /// A count, and for each shard its number and the digest.
        case memberships = 1
        /// A count and the ids.
        case members = 2
        case epoch = 3
        /// Empty.
        case check = 4
    }

    package var extensions: [GreetingExtension] {
        var all = [
            Self.made(.memberships) {
                $0.varint(1)
                $0.varint(0)
                $0.pair(high: membership.high, low: membership.low)
            },
            Self.made(.members) {
                $0.varint(UInt64(members.count))
                for member in members { $0.varint(member) }
            },
            Self.made(.epoch) { $0.u64(epoch) },
        ]
        if isCheck { all.append(GreetingExtension(type: Kind.check.rawValue, value: [])) }
        return all
    }

    private static func made(_ kind: Kind, _ write: (inout ByteWriter) -> Void) -> GreetingExtension {
        var writer = ByteWriter()
        write(&writer)
        return GreetingExtension(type: kind.rawValue, value: writer.bytes)
    }

    /// Throws when a fact is missing or makes no sense. Extensions of other types are ignored.
    package init(_ extensions: [GreetingExtension]) throws(WireError) {
        membership = try Self.read(.memberships, of: extensions) { reader throws(WireError) in
            let count = try reader.count(minimumSize: 17, maximum: 64)
            for _ in 0..<count {
                let (shard, halves) = (try reader.varint(), try reader.pair())
                if shard == 0 {
                    _ = try reader.view(reader.remaining)
                    return Digest(high: halves.high, low: halves.low)
                }
            }
            throw WireError("its greeting has no digest of shard 0")
        }
        members = try Self.read(.members, of: extensions) { reader throws(WireError) in
            var members: [UInt64] = []
            for _ in 0..<(try reader.count(minimumSize: 1, maximum: Self.mostMembers)) { members.append(try reader.varint()) }
            return members
        }
        epoch = try Self.read(.epoch, of: extensions) { reader throws(WireError) in try reader.u64() }
        isCheck = extensions.contains { $0.type == Kind.check.rawValue }
    }

    private static func read<Value>(
        _ kind: Kind, of extensions: [GreetingExtension], _ read: (inout ByteReader) throws(WireError) -> Value
    ) throws(WireError) -> Value {
        guard let value = extensions.first(where: { $0.type == kind.rawValue })?.value else {
            throw WireError("its greeting lacks extension \(kind.rawValue)")
        }
        let result = value.withUnsafeBytes { bytes in
            Result { () throws(WireError) in
                var reader = ByteReader(bytes)
                let result = try read(&reader)
                try reader.finish()
                return result
            }
        }
        return try result.get()
    }
}
