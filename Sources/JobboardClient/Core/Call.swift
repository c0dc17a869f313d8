package import Jobboard
package import WireFormat

/// What a caller wants done. Waits are in nanoseconds.
package enum Work: Sendable {
    /// Changes something and is answered at once.
    case write(Command)
    /// Claims, and waits at the server when nothing is claimable.
    case claimNext(ClaimNext, wait: Int64)
    case read(Query, fresh: Bool)
    case waitForClaimable(board: String, wait: Int64)
    case waitForEnd(job: JobID, wait: Int64)
    /// The state machine's own: a session for a lane.
    case openSession(SessionLane.Name)

    /// How long the server may take on purpose.
    var wait: Int64 {
        switch self {
        case .write, .read, .openSession: 0
        case .claimNext(_, let wait), .waitForClaimable(_, let wait), .waitForEnd(_, let wait): wait
        }
    }

    /// Whether its answer shows that the node has a quorum behind it.
    var provesQuorum: Bool {
        switch self {
        case .write, .claimNext, .openSession: true
        case .read(_, let fresh): fresh
        case .waitForClaimable, .waitForEnd: false
        }
    }

    /// Whether it can have an effect on the board.
    var changes: Bool {
        switch self {
        case .write, .claimNext, .openSession: true
        case .read, .waitForClaimable, .waitForEnd: false
        }
    }
}

/// How a call ended.
package enum Reply: Sendable {
    case response(Response)
    case failed(JobboardError)
    /// Its task was cancelled.
    case cancelled
}

/// One call from the moment it is filed until its caller has a reply, and beyond when a claim must be given back.
///
/// A reference, since it is looked at and changed many times on its way: as a value, each look would copy all of it.
/// One table owns it.
package final class Call<Waiter> {
    package enum Phase: Hashable, Sendable {
        /// In the queue, or parked in its lane.
        case queued
        /// Sent and not answered; the node may take `wait` nanoseconds from `since` on purpose.
        case onWire(since: Moment, wait: Int64)
    }

    var work: Work
    /// Who gets the reply; nil for the state machine's own calls, and for a claim whose caller has gone.
    var waiter: Waiter?
    /// The name for cancelling it; 0 when it can't be cancelled.
    var ticket: UInt64
    var deadline: Moment
    /// For waits: until when an empty answer is not yet the reply.
    var waitUntil: Moment
    /// Grows with each call; the order of sending after a reconnect.
    var order: UInt64
    var phase = Phase.queued
    var identity: SessionLane.Identity?
    var lane: SessionLane.Name
    /// An earlier sending may have had its effect: its answer was lost.
    var uncertain = false
    var addressed = AddressedTerm()

    init(
        work: Work, waiter: Waiter?, ticket: UInt64, deadline: Moment, waitUntil: Moment, order: UInt64,
        lane: SessionLane.Name
    ) {
        self.work = work
        self.waiter = waiter
        self.ticket = ticket
        self.deadline = deadline
        self.waitUntil = waitUntil
        self.order = order
        self.lane = lane
    }

    var isOnWire: Bool {
        switch phase {
        case .queued: false
        case .onWire: true
        }
    }

    /// Whether it opens a session for other calls.
    var isOpening: Bool {
        if case .openSession = work { true } else { false }
    }

    /// What can be said about the effect when there will be no answer.
    var effect: JobboardError.Effect {
        work.changes && (uncertain || isOnWire) ? .unknown : .notApplied
    }
}

/// The open calls, each under a number that also names it on the wire. Numbers are not reused soon: the lower half is a slot,
/// the upper half counts the slot's users, so a late answer finds nobody.
package struct CallTable<Waiter> {
    private struct Slot {
        var generation: UInt32
        var call: Call<Waiter>?
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []
    package private(set) var count = 0

    package init() {}

    package mutating func insert(_ call: Call<Waiter>) -> UInt64 {
        count += 1
        if let index = free.popLast() {
            slots[Int(index)].call = call
            return UInt64(slots[Int(index)].generation) << 32 | UInt64(index)
        }
        slots.append(Slot(generation: 1, call: call))
        return 1 << 32 | UInt64(slots.count - 1)
    }

    package func contains(_ number: UInt64) -> Bool {
        let index = Int(number & 0xffff_ffff)
        return index < slots.count && slots[index].generation == UInt32(number >> 32) && slots[index].call != nil
    }

    /// The call with that number, which must be open.
    package subscript(_ number: UInt64) -> Call<Waiter> { slots[place(number)].call! }

    package mutating func remove(_ number: UInt64) -> Call<Waiter> {
        let index = place(number)
        guard let call = slots[index].call else { preconditionFailure("call \(number) ended twice") }
        slots[index].call = nil
        slots[index].generation = slots[index].generation == .max ? 1 : slots[index].generation + 1
        free.append(UInt32(index))
        count -= 1
        return call
    }

    /// The numbers of the open calls that pass, in slot order.
    package func numbers(where passes: (Call<Waiter>) -> Bool) -> [UInt64] {
        slots.indices.compactMap { index in
            guard let call = slots[index].call, passes(call) else { return nil }
            return UInt64(slots[index].generation) << 32 | UInt64(index)
        }
    }

    private func place(_ number: UInt64) -> Int {
        precondition(contains(number), "no call \(number) is open")
        return Int(number & 0xffff_ffff)
    }
}
