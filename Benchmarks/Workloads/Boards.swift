import Consensus
import Jobboard

extension Workload {
    static let boards = [
        Workload("apply: a life on a board of 10,000 jobs") {
            var board = LivelyBoard(held: 10_000)
            return { times in board.live(times) }
        }
    ]
}

/// A board of one session, on which jobs live.
private struct LivelyBoard {
    private var board = BoardMachine()
    private var events: [Event] = []
    private var random = SplitMix64(seed: 1)
    private var session: UInt64 = 0
    private var sequence: UInt64 = 0

    init(held: Int) {
        board.beginBlock(at: Timestamp(milliseconds: Int64(Samples.moment)), events: &events)
        guard case .sessionOpened(let opened) = board.apply(Samples.openSession, events: &events) else {
            preconditionFailure("a new board opens a session")
        }
        session = opened
        for _ in 0..<held { apply(Samples.post(.random(using: &random))) }
        events.removeAll()
    }

    mutating func live(_ times: Int) {
        for _ in 0..<times {
            let id = JobID.random(using: &random)
            apply(Samples.post(id))
            apply(Samples.claim(id))
            apply(Samples.consume(id))
            events.removeAll(keepingCapacity: true)
        }
    }

    private mutating func apply(_ command: Command) {
        sequence += 1
        let outcome = board.apply(
            SessionCommand(session: session, sequence: sequence, acknowledgedBelow: sequence, command: command),
            events: &events)
        if case .refused(let error) = outcome { preconditionFailure("refused: \(error)") }
    }
}
