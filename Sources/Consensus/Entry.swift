/// A node's number in its cluster; never given to another node.
package struct NodeID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: NodeID, right: NodeID) -> Bool {
        left.rawValue < right.rawValue
    }

    package var description: String { "\(rawValue)" }
}

/// Raft's logical clock: at most one leader a term.
package typealias Term = UInt64

/// A place in the log; the first entry has index 1, and 0 stands before it.
package typealias LogIndex = UInt64

/// The first 16 bytes of a SHA-256.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    /// What stands before the first entry.
    package static let zero = Digest(high: 0, low: 0)

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package var description: String {
        func hex(_ half: UInt64) -> String {
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return hex(high) + hex(low)
    }
}

/// What an entry holds.
package enum EntryKind: UInt8, Sendable, CaseIterable {
    /// Commands for the state machine.
    case commands = 1
    /// The first entry of a leader's term: with it everything before it is committed (dissertation, section 6.4).
    case termStart = 2
    /// Nothing but the time, so that a deadline can pass while no command comes.
    case tick = 3
    /// Nothing, but every node takes a snapshot of its state here, so that all hold the same bytes.
    case snapshotMark = 4
}

/// A snapshot of the state machine, named so that nobody can mistake it for another: it holds everything up to `last`.
package struct SnapshotReference: Hashable, Sendable {
    /// The last entry that it holds the effects of.
    package let last: EntrySummary
    /// The digest of its table of contents, which names every piece of it.
    package let digest: Digest

    package init(last: EntrySummary, digest: Digest) {
        self.last = last
        self.digest = digest
    }

    package var index: LogIndex { last.index }
}

/// What a leader wants to append, before it is sealed.
package struct EntryDraft: Sendable {
    package var kind: EntryKind
    package var term: Term
    package var index: LogIndex
    /// The leader's time in milliseconds since the Unix epoch; never less than the entry's before.
    package var time: UInt64
    /// The number of the first command in it, counted over the whole log from 0.
    package var firstCommand: UInt64
    package var commandCount: UInt32
    /// The digest of the entry before.
    package var parent: Digest
    package var payload: [UInt8]

    package init(
        kind: EntryKind, term: Term, index: LogIndex, time: UInt64, firstCommand: UInt64, commandCount: UInt32,
        parent: Digest, payload: [UInt8]
    ) {
        self.kind = kind
        self.term = term
        self.index = index
        self.time = time
        self.firstCommand = firstCommand
        self.commandCount = commandCount
        self.parent = parent
        self.payload = payload
    }
}

/// A sealed entry: the same bytes go to every disk, every peer and every later reader.
package struct Entry: Sendable, Equatable {
    package let kind: EntryKind
    package let term: Term
    package let index: LogIndex
    package let time: UInt64
    package let firstCommand: UInt64
    package let commandCount: UInt32
    package let parent: Digest
    /// The digest of its header, which covers the parent's digest and the body's: it names the whole history up to here.
    package let digest: Digest
    /// Header and stored body. Opaque to consensus.
    package let block: [UInt8]

    package init(
        kind: EntryKind, term: Term, index: LogIndex, time: UInt64, firstCommand: UInt64, commandCount: UInt32,
        parent: Digest, digest: Digest, block: [UInt8]
    ) {
        self.kind = kind
        self.term = term
        self.index = index
        self.time = time
        self.firstCommand = firstCommand
        self.commandCount = commandCount
        self.parent = parent
        self.digest = digest
        self.block = block
    }

    package static func == (left: Entry, right: Entry) -> Bool {
        left.digest == right.digest
    }

    /// What the log remembers of it when its bytes are on disk alone.
    package var summary: EntrySummary {
        EntrySummary(
            kind: kind, term: term, index: index, time: time, nextCommand: firstCommand + UInt64(commandCount), digest: digest,
            byteCount: UInt32(block.count))
    }
}

/// An entry without its bytes.
package struct EntrySummary: Sendable, Hashable {
    package let kind: EntryKind
    package let term: Term
    package let index: LogIndex
    package let time: UInt64
    /// The number of the first command after it.
    package let nextCommand: UInt64
    package let digest: Digest
    package let byteCount: UInt32

    package init(
        kind: EntryKind, term: Term, index: LogIndex, time: UInt64, nextCommand: UInt64, digest: Digest, byteCount: UInt32
    ) {
        self.kind = kind
        self.term = term
        self.index = index
        self.time = time
        self.nextCommand = nextCommand
        self.digest = digest
        self.byteCount = byteCount
    }

    /// What stands before the first entry.
    package static let beforeFirst = EntrySummary(
        kind: .tick, term: 0, index: 0, time: 0, nextCommand: 0, digest: .zero, byteCount: 0)
}
