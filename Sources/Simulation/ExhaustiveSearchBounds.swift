/// How far an exhaustive search goes. Every count is of one path, from its first move to its last.
package struct SearchBounds: Sendable, Equatable {
    /// What the world is when the search begins.
    package enum Start: Sendable, Equatable {
        /// Three empty nodes.
        case empty
        /// The first node leads term 1, everybody has its first entry and knows that it is committed, nothing is under way.
        case led
        /// Raft paper, figure 8 (c): a leader is about to spread an entry of an earlier term, and a rival of a term between
        /// may replace it.
        case figure8
    }

    package var start = Start.empty
    /// Worlds in which a node reached a higher term are left out.
    package var terms: UInt64 = 2
    package var proposals = 1
    package var crashes = 1
    /// Disks that lose the newest part of what they had promised, and every vote.
    package var losses = 0
    /// Messages that arrive and stay on their way.
    package var repeats = 0
    /// Times that a node's patience ends: a follower asks for votes, a leader sends again, then steps down.
    package var timeouts = 2
    /// Heartbeats that leaders send because time passes.
    package var beats = 0
    /// Connections that break.
    package var cuts = 0
    package var reads = 0
    /// Copies that a client sends of one payload, each addressed to the term of a leader.
    package var copies = 0
    /// The client also sends copies to nodes that lead no term.
    package var asksFollowers = false
    /// Messages on their way, at most; with more of them, some are lost before anything else happens.
    package var messages = 12
    /// A follower gets its entries one by one.
    package var appendsAreSingle = false
    /// The bytes of applied entries that replicas keep in memory.
    package var cacheBytes = 1 << 20
    /// Moves in a path, at most.
    package var depth = Int.max
    /// Worlds remembered, at most.
    package var states = Int.max

    // Weaker worlds, to see that the search finds what they break.
    /// The disk says that a write is durable before it is: a crash may lose it.
    package var diskLies = false
    /// A promise is held against the disk when it is made, and not only when its breach is seen.
    package var checksPromises = true

    /// A node that has lost its vote goes on in the newest term that it hears of.
    package var leapsNot = false
    /// A node that has lost something goes on from the word of one other.
    package var learnsFromOne = false

    /// Leaders take copies that are addressed to any term.
    package var takesAnyTerm = false
    /// Leaders don't remember what they answered without an effect.
    package var remembersNothing = false
    /// Leaders answer a repeated copy while an earlier one is under way.
    package var answersTooSoon = false
    /// The client also sends copies to leaders of earlier terms than before.
    package var turnsBack = false

    package init() {}
}

/// What an exhaustive search saw.
package struct SearchReport: Sendable, Equatable {
    /// Worlds that differ, symmetry apart.
    package var states = 0
    package var transitions = 0
    /// The length of the longest path that led to a new world.
    package var depth = 0
    /// Worlds left out since they reach a higher term than wanted.
    package var cutOff = 0
    /// Nothing inside the bounds was left to visit: neither depth nor memory ended the search.
    package var isExhausted = false

    // That something happened at all.
    /// Worlds with a leader.
    package var led = 0
    /// Worlds with leaders of two terms.
    package var twiceLed = 0
    package var longestCommitted = 0
    package var truncations = 0
    package var confirmedReads = 0
    package var lossyCrashes = 0
    /// Nodes that took part again after a loss.
    package var returns = 0
    /// Worlds whose client was told that its payload has no effect.
    package var refused = 0
}

/// A broken invariant, and the shortest way to it: one move a line.
package struct SearchFailure: Error, Sendable, CustomStringConvertible {
    package let violation: String
    package let path: [String]
    /// Worlds that were good and visited before.
    package let states: Int

    package var description: String {
        path.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n") + "\n=> \(violation)"
    }
}
