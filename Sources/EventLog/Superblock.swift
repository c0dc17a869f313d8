import Consensus

/// To whom the folder belongs, how often it was opened, and how far its log is known to be durable.
///
/// Two copies of 4 KiB in one file, written in turn, so that a torn write leaves the other. Format 2 has `SuperblockNotes`
/// and `Membership` besides; format 1 has zeros there:
///
///     0  magic "supr"   8  sequence   24  node          36  name's length   48     name     2560   membership
///     4  format        16  cluster    32  incarnation   40  durable         304    notes    4080   digest of all before
struct Superblock: Equatable {
    static let slotBytes = Int(pageBytes)
    static let fileBytes = 2 * slotBytes
    static let maxNameBytes = 255
    /// No folder is opened so often; a larger number is damage, and adding to this one does not overflow.
    static let lastIncarnation = UInt32(Int32.max)
    private static let lastSequence = UInt64(Int64.max)
    private static let magic: UInt32 = 0x7270_7573
    private static let newestFormat: UInt32 = 2
    private static let nameOffset = 48
    private static let notesOffset = 304
    private static let membershipOffset = 2560
    private static let digestOffset = slotBytes - 16

    var identity: LogIdentity
    /// Grows with each write; the copy with the larger one counts, and its parity says which copy it is.
    var sequence: UInt64
    /// Grows with each opening, so that frames of an earlier one that were cut off never count again.
    var incarnation: UInt32
    /// The last frame known to be durable when this was written.
    var durable: UInt64
    /// Nil in one of format 1, which is read and no longer written.
    var notes: SuperblockNotes?
    /// Of the cluster that the folder belongs to; nil until a node has opened it.
    var membership: Membership?

    var slot: Int { Int(sequence % 2) }

    func encoded() -> [UInt8] {
        var slot = [UInt8](repeating: 0, count: Self.slotBytes)
        slot.withUnsafeMutableBytes { bytes in
            let name = Array(identity.cluster.utf8)
            precondition(name.count <= Self.maxNameBytes, "a cluster name of \(name.count) bytes")
            bytes.put(Self.magic, at: 0)
            bytes.put(UInt32(notes == nil ? 1 : 2), at: 4)
            bytes.put(sequence, at: 8)
            bytes.put(BlockCodec.clusterTag(identity.cluster), at: 16)
            bytes.put(identity.node, at: 24)
            bytes.put(incarnation, at: 32)
            bytes.put(UInt32(name.count), at: 36)
            bytes.put(durable, at: 40)
            UnsafeMutableRawBufferPointer(rebasing: bytes[Self.nameOffset...]).copyBytes(from: name)
            notes?.write(to: bytes, at: Self.notesOffset)
            membership?.write(to: bytes, at: Self.membershipOffset)
            bytes.put(Hashing.digest(bytes.part(0..<Self.digestOffset)), at: Self.digestOffset)
        }
        return slot
    }

    /// What one copy in the file turns out to be.
    enum Copy: Equatable {
        case whole(Superblock)
        /// Its digest is right, and this version does not know what it says: in words.
        case newer(String)
        case damaged
    }

    /// Total on garbage.
    static func read(slot bytes: UnsafeRawBufferPointer) -> Copy {
        guard bytes.count == slotBytes, bytes.integer(at: 0) == magic else { return .damaged }
        guard Hashing.digest(bytes.part(0..<digestOffset)) == bytes.digest(at: digestOffset) else { return .damaged }
        let format: UInt32 = bytes.integer(at: 4)
        guard format <= Self.newestFormat else { return .newer("a superblock of format \(format)") }
        guard let copy = decode(bytes, format) else { return .damaged }
        // Every byte must be as this version writes it, so that a newer one can give those that are zero now a meaning.
        let isExact = copy.encoded().withUnsafeBytes { $0.elementsEqual(bytes) }
        return isExact ? .whole(copy) : .newer("a superblock with unknown fields")
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, _ format: UInt32) -> Superblock? {
        var notes: SuperblockNotes?
        if format == 2 {
            notes = SuperblockNotes(bytes, at: notesOffset)
            if notes == nil { return nil }
        } else if format != 1 {
            return nil
        }
        let count = Int(bytes.integer(at: 36, as: UInt32.self))
        guard count <= maxNameBytes else { return nil }
        guard let name = String(validating: bytes.part(nameOffset..<nameOffset + count), as: UTF8.self) else { return nil }
        let copy = Superblock(
            identity: LogIdentity(cluster: name, node: bytes.integer(at: 24)), sequence: bytes.integer(at: 8),
            incarnation: bytes.integer(at: 32), durable: bytes.integer(at: 40), notes: notes,
            membership: notes == nil ? nil : Membership(bytes, at: membershipOffset))
        // The first frame is durable before there is a superblock, and all that an opening finds before it is counted.
        guard copy.durable > 0, notes.map({ $0.opened <= copy.durable }) ?? true else { return nil }
        // Or the next copy, which counts this opening among the earlier ones, could not be read.
        guard notes?.earlier.last.map({ $0.incarnation < copy.incarnation }) ?? true else { return nil }
        return copy.sequence <= lastSequence && copy.incarnation <= lastIncarnation ? copy : nil
    }
}
