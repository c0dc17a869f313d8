package import Consensus

/// What nodes ask one another for in bulk, and give: snapshots in pieces, single blocks. Nothing here promises anything;
/// every answer is checked by the digest that was asked for.
package enum Transfer: Sendable, Equatable {
    /// "What is in this snapshot?"; nil: in your newest.
    case askContents(SnapshotReference?)
    /// "What is in your snapshot up to this entry?", of a node whose own can't even be named any more. Answered with
    /// `contents`, or `noSnapshot(nil)`.
    case askContentsAt(LogIndex)
    /// The table of contents, as `EventLog.SnapshotContents` encodes it.
    case contents(SnapshotReference, table: [UInt8])
    case askChunk(SnapshotReference, number: UInt32)
    /// A chunk as it is stored.
    case chunk(SnapshotReference, number: UInt32, stored: [UInt8])
    /// The snapshot that was asked for is not here, or not whole.
    case noSnapshot(SnapshotReference?)
    case askBlock(index: LogIndex, digest: Digest)
    /// Header and body.
    case block(index: LogIndex, digest: Digest, bytes: [UInt8])
    /// The block is not here. `neverHad`: it never was, for certain: the log is whole there, and holds another entry or
    /// ends before it. Else it may have been, and was compacted or lost.
    case noBlock(index: LogIndex, digest: Digest, neverHad: Bool)
    /// "What is left of this block on your disk?", when no node has it whole. Answered with `corruptBlock`, or with `block` by a
    /// node that has it whole by now.
    case askCorruptBlock(index: LogIndex, digest: Digest)
    /// Untrusted; nil when nothing is left, or found.
    case corruptBlock(index: LogIndex, digest: Digest, BlockCopy?)
    /// "I took this snapshot": at the same index all nodes must come to the same one.
    case tookSnapshot(SnapshotReference)

    /// "How do you stand?", of a node that has lost what it had acknowledged or voted. `life` is given back: an answer to an
    /// earlier life of the same node says nothing.
    case askStanding(life: UInt32)
    /// The term, and the last entry, that the node is at: neither is older than anything that it has ever sent or granted.
    /// `last` is nil when it has lost these itself.
    case standing(life: UInt32, term: Term, last: EntrySummary?)

    /// A question that the log answers, not a snapshot.
    package var isAboutBlock: Bool {
        switch self {
        case .askBlock, .askCorruptBlock: true
        default: false
        }
    }

    /// Answers to questions, as opposed to questions and news.
    package var isQuestion: Bool {
        switch self {
        case .askContents, .askContentsAt, .askChunk, .askBlock, .askCorruptBlock, .askStanding: true
        case .contents, .chunk, .noSnapshot, .block, .noBlock, .corruptBlock, .tookSnapshot, .standing: false
        }
    }
}
