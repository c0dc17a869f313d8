import Jobboard
import JobboardClient
import Testing
import WireFormat

/// Plays a state machine with plain values: tells it what happens, keeps what it wants done.
final class Stage {
    typealias Machine = ClientStateMachine<Int>

    var machine: Machine
    var now = Moment(nanoseconds: 0)
    /// The connection in use and its node, from the last `connect`.
    var connection: UInt64 = 0
    var node = ""
    /// Sessions that were presented anew, in order; they are no part of what `play` returns.
    struct Presented {
        var connection: UInt64
        var request: Request
    }

    var presented: [Presented] = []
    /// That the node says it leads.
    var term: UInt64 = 1

    init(nodes: [String] = ["a:1", "b:1", "c:1"], configure: (inout Machine.Configuration) -> Void = { _ in }) {
        var configuration = Machine.Configuration()
        configure(&configuration)
        machine = Machine(nodes: nodes, configuration: configuration, seed: 7) { SessionToken(high: 5, low: 6) }
    }

    /// One event, then a pump, as the shell does.
    @discardableResult
    func play(_ event: (inout Machine, Moment, inout Actions<Int>) -> Void) -> Actions<Int> {
        var actions = Actions<Int>()
        event(&machine, now, &actions)
        machine.pump(now: now, actions: &actions)
        presented += actions.sends.filter(\.isResumption).map { Presented(connection: self.connection, request: $0.request) }
        actions.sends.removeAll(where: \.isResumption)
        if let connect = actions.connect { (node, connection) = (connect.node, connect.connection) }
        return actions
    }

    @discardableResult
    func submit(_ waiter: Int, _ work: Work, seconds: Int64 = 10, ticket: UInt64 = 0) -> Actions<Int> {
        play {
            $0.submit(
                work, timeout: .milliseconds(seconds * 1000), ticket: ticket, waiter: waiter, now: $1, actions: &$2)
        }
    }

    /// TCP stands and the node greets.
    @discardableResult
    func greet(leader: String? = nil, cluster: String = "test") -> Actions<Int> {
        let connection = self.connection
        let hello = ClientHello(cluster: cluster, node: 1, leader: leader, term: term)
        return play {
            _ = $0.connected(connection, now: $1)
            $0.greeted(hello, on: connection, now: $1, actions: &$2)
        }
    }

    @discardableResult
    func answer(_ number: UInt64, _ response: Response) -> Actions<Int> {
        let connection = self.connection
        return play { $0.received(response, number: number, on: connection, now: $1, actions: &$2) }
    }

    @discardableResult
    func disconnect() -> Actions<Int> {
        let connection = self.connection
        return play { $0.disconnected(connection, because: "gone", now: $1, actions: &$2) }
    }

    @discardableResult
    func wait(milliseconds: Int64) -> Actions<Int> {
        now = now.adding(.milliseconds(milliseconds))
        return play { $0.wakeUp(now: $1, actions: &$2) }
    }

    /// Up to the moment when the machine wants to be woken.
    @discardableResult
    func waitUntilDue() -> Actions<Int> {
        now = max(now, machine.nextWakeup)
        return play { $0.wakeUp(now: $1, actions: &$2) }
    }

    /// A client in the middle of its life: connected, with a session for prompt commands. The first command is already on the
    /// wire; returns what was sent for it.
    func open(_ waiter: Int, _ work: Work, seconds: Int64 = 10, ticket: UInt64 = 0) throws
        -> Actions<Int>.Send
    {
        submit(waiter, work, seconds: seconds, ticket: ticket)
        let opening = try #require(greet(leader: node).sends.first)
        return try #require(answer(opening.number, .outcome(.sessionOpened(70))).sends.first)
    }
}

extension Work {
    static func post(_ name: String) -> Work {
        .write(.post(board: "b", jobs: [NewJob(id: JobID(high: 1, low: 2), name: name)]))
    }

    static func next(wait milliseconds: Int64) -> Work {
        .claimNext(ClaimNext(board: "b", who: "w"), wait: .milliseconds(milliseconds))
    }
}

extension Actions<Int>.Send {
    var command: SessionCommand? {
        if case .write(let command, _) = request { command } else { nil }
    }

    var sending: Sending? {
        if case .write(_, let sending) = request { sending } else { nil }
    }

    /// It opens a session, under this number.
    var opensSession: UInt64? {
        if case .session(let local, _, _, false) = request { local } else { nil }
    }

    var isResumption: Bool {
        if case .session(_, _, _, true) = request { true } else { false }
    }

    var waitMilliseconds: UInt32? {
        if case .write(_, let sending) = request { sending.waitMilliseconds } else { nil }
    }
}

extension Actions<Int> {
    /// The error that the waiter was given.
    func error(for waiter: Int) -> JobboardError? {
        for completion in completions where completion.waiter == waiter {
            if case .failed(let error) = completion.reply { return error }
        }
        return nil
    }

    /// The answer that the waiter was given.
    func response(for waiter: Int) -> Response? {
        for completion in completions where completion.waiter == waiter {
            if case .response(let response) = completion.reply { return response }
        }
        return nil
    }
}

func claimedJob(_ low: UInt64 = 2, fence: UInt64 = 5, owner: String = "w") -> Job {
    Job(
        id: JobID(high: 1, low: low), board: "b", name: "n", details: [], priority: .normal,
        createdOn: Timestamp(milliseconds: 1), position: 1, state: .claimed, lastModified: Timestamp(milliseconds: 1),
        owner: owner, fence: fence, leaseUntil: Timestamp(milliseconds: 2))
}
