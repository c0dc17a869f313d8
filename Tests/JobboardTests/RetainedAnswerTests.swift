import NodeEngine
import Testing

@testable import Jobboard

/// What a session keeps of its answers, and what is answered from that.
@Suite struct RetainedAnswerTests {
    private static let large = Array("\"\(String(repeating: "x", count: (256 << 10) - 2))\"".utf8)

    private func call(_ desk: Desk, _ sequence: UInt64, _ command: Command) -> SessionCommand {
        SessionTests.call(desk, sequence, command)
    }

    @Test func `answers to extend, abandon and consume come without details and result`() {
        var desk = Desk()
        desk.post(newJob(1) { $0.details = Array("[1]".utf8) })
        _ = desk.claim(jobID(1))
        let extended = desk.run(.extend(Holder(job: jobID(1), who: "w1"), leaseMilliseconds: 5000)).job
        #expect(extended?.details == [] && extended?.state == .claimed && extended?.isPartial == false)
        #expect(desk.abandon(jobID(1)).job?.details == [])
        #expect(desk.claim(jobID(1)).job?.details == Array("[1]".utf8))
        let consumed = desk.consume(jobID(1), result: "[2]").job
        #expect(consumed?.details == [] && consumed?.result == nil && consumed?.state == .complete)
        #expect(desk.machine.job(jobID(1))?.result == Array("[2]".utf8))
    }

    @Test func `a claim that is asked for again shows its own fence and lease, with the job as it stands`() throws {
        var desk = Desk()
        desk.post(newJob(1) { $0.details = Array("[1]".utf8) })
        let claim = call(desk, 2, .claim(job: jobID(1), who: "w1", leaseMilliseconds: 1000))
        let first = desk.send(claim)
        desk.wait(1000)
        desk.wait(1000)
        _ = desk.send(call(desk, 3, .claim(job: jobID(1), who: "w2", leaseMilliseconds: nil)))
        let again = desk.send(claim)
        #expect(again.isSameAnswer(as: first))
        let job = try #require(again.job)
        #expect(job.owner == "w1" && job.fence == first.job?.fence && job.leaseUntil == first.job?.leaseUntil)
        #expect(job.details == Array("[1]".utf8) && job.claims == 2 && !job.isPartial)
    }

    @Test func `an answer whose job is complete or forgotten is given again in part, and says so`() throws {
        var limits = BoardLimits()
        limits.completedJobs = 1
        var desk = Desk(limits: limits)
        let post = call(desk, 1, .post(board: "default", jobs: [newJob(1) { $0.details = [0x31] }, newJob(2)]))
        let posted = desk.send(post)
        let claim = call(desk, 2, .claim(job: jobID(1), who: "w1", leaseMilliseconds: nil))
        let claimed = desk.send(claim)
        let consume = call(desk, 3, .consume(Holder(job: jobID(1), who: "w1"), result: [0x32], followUps: []))
        let consumed = desk.send(consume)
        var again = try #require(desk.send(claim).job)
        #expect(again.isPartial && again.details == [] && again.state == .claimed && again.fence == claimed.job?.fence)
        _ = desk.send(call(desk, 4, .claim(job: jobID(2), who: "w1", leaseMilliseconds: nil)))
        _ = desk.send(call(desk, 5, .consume(Holder(job: jobID(2), who: "w1"), result: nil, followUps: [])))
        #expect(desk.machine.job(jobID(1)) == nil)
        for (request, answer) in [(post, posted), (claim, claimed), (consume, consumed)] {
            let repeated = desk.send(request)
            #expect(repeated.isSameAnswer(as: answer) && desk.events.isEmpty)
            again = try #require(repeated.job)
            #expect(again.isPartial && again.id == jobID(1) && again.name == "")
        }
        desk.machine.checkInvariants()
    }

    /// What took 44 MiB of memory and 1 GiB of each snapshot once, and could not be loaded.
    @Test func `a session that never acknowledges and extends a large job for ever costs little`() throws {
        var desk = SnapshotDesk(limits: BoardLimits())
        let job = newJob(1) { $0.details = Self.large }
        _ = desk.apply(
            [
                SessionCommand(
                    session: 0, sequence: 0, acknowledgedBelow: 0, command: .openSession(sessionKey(1), ttlMilliseconds: 60_000))
            ],
            at: 1000)
        var commands: [Command] = [
            .post(board: "b", jobs: [job]), .claim(job: job.id, who: "w", leaseMilliseconds: nil),
        ]
        commands += Array(repeating: .extend(Holder(job: job.id, who: "w"), leaseMilliseconds: nil), count: 4090)
        let calls = commands.enumerated().map {
            SessionCommand(session: 1, sequence: UInt64($0 + 1), acknowledgedBelow: 1, command: $1)
        }
        _ = desk.apply(calls, at: 2000)
        #expect(desk.state.machine.accountedBytes < 1 << 20)
        let saved = desk.bytes
        #expect(saved.count < 1 << 20)
        var cuts = SplitMix64(state: 1)
        let loaded = try SnapshotDesk.read(saved, limits: BoardLimits(), cut: &cuts)
        #expect(loaded.machine.fingerprint() == desk.state.machine.fingerprint())
    }

    @Test func `a session keeps a bounded number of bytes, and loses its lowest answers first`() {
        var limits = BoardLimits()
        limits.sessionBytes = 3 * StateCost.retained
        var desk = Desk(limits: limits)
        let posts = (1...5).map { number in call(desk, number, .post(board: "b", jobs: [newJob(number)])) }
        for post in posts { _ = desk.send(post) }
        #expect(posts.map { desk.send($0).error?.outcome } == [.unknown, .unknown, nil, nil, nil])
        desk.machine.checkInvariants()
    }

    @Test func `the largest post and the largest claim fit once into what a session keeps`() {
        let limits = BoardLimits()
        #expect(StateCost.retained + (limits.postJobs - 1) * StateCost.retainedJob <= limits.sessionBytes)
        #expect(StateCost.retained + (Int(limits.claimCount) - 1) * StateCost.retainedJob <= limits.sessionBytes)
        #expect(limits.sessionWindow * StateCost.retained <= limits.sessionBytes)
        #expect(limits.sessions * 1024 <= limits.retainedBytes)
    }

    @Test func `all sessions together keep a bounded number of bytes: one that keeps most loses its lowest answers`() {
        var limits = BoardLimits()
        limits.retainedBytes = 8192
        var desk = Desk(limits: limits)
        let sessions = [desk.session, desk.openSession(), desk.openSession()]
        var number: UInt64 = 0
        func post(_ session: UInt64, _ sequence: UInt64) {
            number += 1
            let command = Command.post(board: "b", jobs: [newJob(number)])
            _ = desk.send(SessionCommand(session: session, sequence: sequence, acknowledgedBelow: 0, command: command))
        }
        func kept(_ session: UInt64) -> Int {
            desk.machine.sessions[desk.machine.sessions.slot(of: session)!].keptSequences.count
        }
        for sequence in 1...10 as ClosedRange<UInt64> { post(sessions[0], sequence) }
        for sequence in 1...5 as ClosedRange<UInt64> { post(sessions[1], sequence) }
        for sequence in 1...500 as ClosedRange<UInt64> { post(sessions[2], sequence) }
        #expect(kept(sessions[0]) == 10 && kept(sessions[1]) == 5 && kept(sessions[2]) == 8192 / StateCost.retained - 15)
        #expect(desk.machine.sessions.keptBytes <= limits.retainedBytes)
        desk.machine.checkInvariants()
        (desk.session, desk.sequence) = (sessions[2], 500)
        _ = desk.run(.closeSession)
        desk.machine.checkInvariants()
        #expect(desk.machine.sessions.keptBytes == 15 * StateCost.retained)
    }
}
