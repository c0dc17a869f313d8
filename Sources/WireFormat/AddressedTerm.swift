/// To which leader a request's next copy may go: the client's part of what makes a retry safe.
///
/// A leader takes only what is addressed to its own term, and it answers from a state in which its term's first entry is
/// committed. So a copy that was addressed to an earlier term is in that state already, or will never be committed: only
/// copies of the leader's own term remain, and of those it knows. That holds as long as no copy has gone to a later term, so
/// a client never turns back to an earlier one while a copy may still be on its way.
package struct AddressedTerm: Sendable, Equatable {
    /// The latest term that a copy which may still be on its way was addressed to; 0 when there is none.
    package private(set) var latest: UInt64 = 0

    package init() {}

    /// Whether a copy may go to the leader of `term`. To a node that leads no term (0) it always may: nobody takes it.
    package func allows(_ term: UInt64) -> Bool { term == 0 || term >= latest }

    package mutating func sent(to term: UInt64) {
        precondition(allows(term), "a copy goes to term \(term), and one went to \(latest) before")
        latest = max(latest, term)
    }

    /// Whether the leader of `led` (0: a node that leads no term) takes a copy that is addressed to `term`.
    package static func isTaken(_ term: UInt64, byLeaderOf led: UInt64) -> Bool { led > 0 && term == led }

    /// All copies were answered, and none of them had an effect.
    package mutating func noneIsLeft() { latest = 0 }
}
