package import Consensus

/// Which nodes decide together, as a data folder and a greeting name them: no hosts, ports, timing or memory, which may be changed
/// node by node.
package struct Membership: Sendable, Equatable {
    package enum Role: UInt8, Sendable {
        case voter = 1
    }

    package struct Member: Sendable, Equatable {
        package var id: UInt64
        package var role: Role

        package init(id: UInt64, role: Role = .voter) {
            self.id = id
            self.role = role
        }
    }

    /// As many as a copy of the superblock has room for.
    package static let most = 64

    /// These three have one legal value in this version.
    package var shard: UInt32 { 0 }
    /// Which configuration it is; 0 is the one in the cluster file.
    package var configuration: UInt64 { 0 }
    /// Grows when a cluster is restored from a backup.
    package var generation: UInt64 { 0 }
    /// In ascending order of id, each once, never empty.
    package let members: [Member]

    package init(voters: some Sequence<UInt64>) {
        let ids = Set(voters).sorted()
        precondition(!ids.isEmpty && ids.count <= Self.most, "\(ids.count) members")
        members = ids.map { Member(id: $0) }
    }

    /// The same on every node of a cluster.
    package func digest(cluster: UInt64) -> Digest {
        var bytes = [UInt8](repeating: 0, count: 36 + members.count * 9)
        return bytes.withUnsafeMutableBytes { all in
            all.put(UInt32(0x3172_626d), at: 0)  // "mbr1"
            all.put(cluster, at: 4)
            all.put(generation, at: 12)
            all.put(shard, at: 20)
            all.put(configuration, at: 24)
            all.put(UInt32(members.count), at: 32)
            for (place, member) in members.enumerated() {
                all.put(member.id, at: 36 + place * 9)
                all[36 + place * 9 + 8] = member.role.rawValue
            }
            return Hashing.digest(UnsafeRawBufferPointer(all))
        }
    }

    /// "node 1" or "nodes 1, 2, 3".
    package var words: String {
        (members.count == 1 ? "node " : "nodes ") + members.map { "\($0.id)" }.joined(separator: ", ")
    }
}

extension EventLog {
    /// Whose folder it is, and the membership that it names; nil when it holds no superblock. Throws `damaged` when neither copy
    /// is whole.
    package static func owner(on disk: any Disk) throws(EventLogError) -> (LogIdentity, Membership?)? {
        let file: SuperblockFile
        do {
            guard try disk.list().contains(FileNames.superblock) else { return nil }
            file = try SuperblockFile(on: disk)
        } catch {
            throw EventLogError(error)
        }
        if let what = file.newer { throw EventLogError.newer(what, in: FileNames.superblock) }
        guard let found = file.newest else {
            throw EventLogError(.damaged, "both copies in \(FileNames.superblock) are damaged")
        }
        return (found.identity, found.membership)
    }

    /// What the folder's superblock names; nil where none is whole, or it names none.
    package static func membership(on disk: any Disk) -> Membership? {
        (try? SuperblockFile(on: disk))?.newest?.membership
    }
}

/// In a superblock, zeros where none is noted:
///
///     0  shard (4), role (1): the node's own, zero (3)    24  zero (8)
///     8  configuration                                    32  count
///     16 generation                                       40  for each: id, role (1), zero (7)
extension Membership {
    static let byteCount = 40 + most * 16

    func write(to bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
        bytes.put(shard, at: offset)
        bytes[offset + 4] = Role.voter.rawValue
        bytes.put(configuration, at: offset + 8)
        bytes.put(generation, at: offset + 16)
        bytes.put(UInt64(members.count), at: offset + 32)
        for (place, member) in members.enumerated() {
            bytes.put(member.id, at: offset + 40 + place * 16)
            bytes[offset + 40 + place * 16 + 8] = member.role.rawValue
        }
    }

    /// Nil where none is noted, or what is noted is unknown to this version: its caller compares the bytes.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        let count: UInt64 = bytes.integer(at: offset + 32)
        guard (1...UInt64(Self.most)).contains(count) else { return nil }
        self.init(voters: (0..<Int(count)).map { bytes.integer(at: offset + 40 + $0 * 16) })
    }
}
