import Jobboard
import Simulation
import Testing

@testable import JobboardCLI

/// A run that went well, to be sabotaged: three jobs by one client; the second one was posted by the end of the first.
private struct Run {
    let jobs = (1...3).map { JobID(high: 0, low: $0) }
    var history: [Simulation.Operation] = []
    var events: [(entry: UInt64?, event: Event)] = []
    var followUps: [HistoryRecorder.FollowUp]

    init() {
        followUps = [.init(consumed: jobs[0], posted: jobs[1])]
        history = [
            Self.operation(.post, [jobs[0]], .posted(duplicates: [false])),
            Self.operation(.post, [jobs[2]], .unknown),
            Self.operation(.claimNext, [], .claimed([.init(job: jobs[0], fence: 4)])),
            Self.operation(.consume, [jobs[0]], fence: 4, .done(state: .complete)),
        ]
        add(1, .posted, jobs[0])
        add(2, .claimed, jobs[0], 4)
        add(3, .consumed, jobs[0], 4)
        add(3, .posted, jobs[1])
        add(4, .claimed, jobs[1], 5)
    }

    static func operation(
        _ action: Simulation.Operation.Action, _ jobs: [JobID], fence: UInt64? = nil, _ answer: Simulation.Operation.Answer
    ) -> Simulation.Operation {
        var operation = Simulation.Operation(client: "ada", action, jobs: jobs, called: 1)
        operation.who = "ada"
        operation.fence = fence
        operation.answer = answer
        return operation
    }

    mutating func add(_ entry: UInt64, _ kind: EventKind, _ job: JobID, _ fence: UInt64? = nil) {
        let event = Event(
            position: UInt64(events.count + 1), kind: kind, time: Timestamp(milliseconds: 0), board: "work", job: job,
            name: "n", owner: fence == nil ? nil : "ada", fence: fence)
        events.append((entry, event))
    }

    var verdict: ChaosVerdict {
        var facts = LoggedFacts()
        for (entry, event) in events { facts.add(event, entry: entry) }
        return ChaosVerdict(history, followUps, facts)
    }
}

struct ChaosVerdictTests {
    @Test func aGoodRunIsGood() {
        let verdict = Run().verdict
        #expect(verdict.findings.isEmpty, "\(verdict.findings)")
        #expect(verdict.checked == 3)
    }

    @Test func whatWasAcknowledgedMustBeInTheLog() {
        var run = Run()
        run.history.append(Run.operation(.post, [run.jobs[2]], .posted(duplicates: [false])))
        #expect(run.verdict.findings.count == 1)
        run = Run()
        run.history.append(Run.operation(.claim, [run.jobs[2]], .claimed([.init(job: run.jobs[2], fence: 5)])))
        #expect(run.verdict.findings.count == 1, "fence 5 is another job's")
        run = Run()
        run.history.append(Run.operation(.consume, [run.jobs[1]], fence: 5, .done(state: .complete)))
        #expect(run.verdict.findings.count == 1)
        run = Run()
        run.history[3].fence = 3
        #expect(run.verdict.findings.count == 1, "consumed under another claim")
    }

    @Test func twiceIsOnceTooOften() {
        var run = Run()
        run.add(5, .consumed, run.jobs[0], 4)
        #expect(run.verdict.findings.count == 1)
        run = Run()
        run.add(5, .posted, run.jobs[1])
        #expect(run.verdict.findings.contains { $0.contains("posted twice") })
    }

    @Test func fencesGrow() {
        var run = Run()
        run.add(5, .claimed, run.jobs[2], 5)
        #expect(run.verdict.findings.contains { $0.contains("fence 5") })
    }

    @Test func aFollowUpComesWithItsConsumeOrNotAtAll() {
        var run = Run()
        run.events[3].entry = 4
        #expect(run.verdict.findings.count == 1)
        run = Run()
        run.events.removeSubrange(3...)
        #expect(run.verdict.findings.isEmpty, "a consume of unknown outcome may not have taken place")
    }

    @Test func whereTheLogsNoLongerReachTheTimeStandsForTheEntry() {
        var run = Run()
        for place in 0..<4 { run.events[place].entry = nil }
        #expect(run.verdict.findings.isEmpty, "one entry, one time")
        let posted = run.events[3].event
        run.events[3].event = Event(
            position: posted.position, kind: posted.kind, time: Timestamp(milliseconds: 1), board: posted.board,
            job: posted.job, name: posted.name)
        #expect(run.verdict.findings.count == 1)
        run = Run()
        run.events[2].entry = nil
        #expect(run.verdict.findings.count == 1, "an entry is in the logs or it is not")
    }

    @Test func positionsHaveNoGaps() {
        var run = Run()
        run.events.remove(at: 4)
        run.events.remove(at: 0)
        #expect(run.verdict.findings.contains { $0.contains("follows") })
    }
}
