import Jobboard
import Testing

@Suite struct SessionTests {
    static func call(_ desk: Desk, _ sequence: UInt64, below: UInt64 = 0, _ command: Command) -> SessionCommand {
        SessionCommand(session: desk.session, sequence: sequence, acknowledgedBelow: below, command: command)
    }

    @Test func `sessions are numbered from 1, and a number is never used again`() {
        var desk = Desk()
        #expect(desk.session == 1 && desk.openSession() == 2)
        #expect(desk.run(.closeSession) == .sessionClosed && desk.openSession() == 3)
        #expect(desk.run(.closeSession).code == .sessionExpired)
    }

    @Test func `a command needs a live session, and opening one needs none`() {
        var desk = Desk()
        let post = Command.post(board: "b", jobs: [newJob(1)])
        for session in [0, 99] as [UInt64] {
            let outcome = desk.send(SessionCommand(session: session, sequence: 1, acknowledgedBelow: 0, command: post))
            #expect(outcome.code == .sessionExpired)
        }
        let open = Command.openSession(sessionKey(9), ttlMilliseconds: 5000)
        #expect(desk.send(Self.call(desk, 1, open)).code == .invalidArgument)
        #expect(desk.machine.lastPosition == 0 && desk.machine.sessionCount == 1)
    }

    @Test func `a repeated request gets the same answer and has no second effect`() {
        var desk = Desk()
        desk.post(newJob(1), newJob(2))
        let claim = Self.call(desk, 2, .claimNext(ClaimNext(board: "default", who: "w1")))
        let first = desk.send(claim)
        #expect(first.job?.id == jobID(1))
        let refused = Self.call(desk, 3, .claim(job: jobID(9), who: "w", leaseMilliseconds: nil))
        let refusal = desk.send(refused)
        _ = desk.send(Self.call(desk, 4, .post(board: "default", jobs: [newJob(9)])))
        #expect(desk.send(refused) == refusal, "a refusal stays one, although the job is there now")
        #expect(desk.machine.precheck(claim) == first)
        #expect(desk.send(claim) == first && desk.events.isEmpty)
        #expect(desk.machine.claimableCount(board: "default") == 2)
    }

    @Test func `requests may come out of order, and each has its own answer`() {
        var desk = Desk()
        let posts = (1...6).map { number in Self.call(desk, number, .post(board: "b", jobs: [newJob(number)])) }
        var outcomes: [UInt64: Outcome] = [:]
        for index in [3, 0, 5, 1, 4, 2] { outcomes[posts[index].sequence] = desk.send(posts[index]) }
        for post in posts { #expect(desk.send(post) == outcomes[post.sequence] && desk.events.isEmpty) }
        desk.machine.checkInvariants()
    }

    @Test func `an acknowledged request is forgotten, and then refused`() {
        var desk = Desk()
        let first = Self.call(desk, 1, .post(board: "b", jobs: [newJob(1)]))
        _ = desk.send(first)
        _ = desk.send(Self.call(desk, 2, below: 2, .post(board: "b", jobs: [newJob(2)])))
        let late = desk.send(first)
        #expect(late.code == .invalidArgument && late.error?.message == "request 1 of this session was already acknowledged")
        #expect(desk.send(Self.call(desk, 0, .closeSession)).code == .invalidArgument)
        #expect(desk.send(Self.call(desk, 3, below: 4, .closeSession)).code == .invalidArgument, "acknowledges itself")
        #expect(desk.send(Self.call(desk, 2, .closeSession)).job?.id == jobID(2), "the sequence number decides")
    }

    @Test func `past the window the oldest answers go, and their requests can't come back`() {
        var limits = BoardLimits()
        limits.sessionWindow = 3
        var desk = Desk(limits: limits)
        let posts = (1...5).map { number in Self.call(desk, number, .post(board: "b", jobs: [newJob(number)])) }
        for post in posts { _ = desk.send(post) }
        #expect(posts.map { desk.send($0).code == .invalidArgument } == [true, true, false, false, false])
        desk.machine.checkInvariants()
    }

    @Test func `a silent session is forgotten at its time, and a command keeps it alive`() {
        var desk = Desk()
        desk.session = desk.openSession(ttl: 5000)
        desk.wait(4000)
        desk.post(newJob(1))
        #expect(desk.machine.sessionDeadline(desk.session)?.milliseconds == desk.time + 5000)
        #expect(desk.machine.nextDeadline?.milliseconds == desk.time + 5000)
        desk.wait(4999)
        #expect(desk.claim(jobID(1), lease: 60_000).job != nil)
        desk.wait(5000)
        #expect(desk.claim(jobID(1)).code == .sessionExpired && desk.machine.sessionDeadline(desk.session) == nil)
        #expect(desk.events.isEmpty && desk.machine.job(jobID(1))?.state == .claimed, "its claims live on by their lease")
        desk.machine.checkInvariants()
    }

    @Test func `a full table refuses newcomers and keeps whom it has`() {
        var limits = BoardLimits()
        limits.sessions = 3
        var desk = Desk(limits: limits)
        _ = desk.openSession()
        _ = desk.openSession()
        let open = SessionCommand(
            session: 0, sequence: 1, acknowledgedBelow: 0, command: .openSession(sessionKey(9), ttlMilliseconds: 60_000))
        #expect(desk.machine.precheck(open)?.code == .overloaded)
        #expect(desk.send(open).code == .overloaded)
        #expect((1...3).allSatisfy { desk.machine.sessionDeadline($0) != nil })
        #expect(desk.run(.closeSession) == .sessionClosed && desk.openSession() == 4)
        desk.machine.checkInvariants()
    }

    @Test func `opening a session twice with one key is one session, also in a full table`() {
        var limits = BoardLimits()
        limits.sessions = 2
        var desk = Desk(limits: limits)
        let open = SessionCommand(
            session: 0, sequence: 1, acknowledgedBelow: 0, command: .openSession(sessionKey(9), ttlMilliseconds: 60_000))
        #expect(desk.send(open) == .sessionOpened(2) && desk.send(open) == .sessionOpened(2))
        #expect(desk.machine.precheck(open) == .sessionOpened(2) && desk.machine.sessionCount == 2)
        #expect(desk.machine.session(with: sessionKey(9)) == 2 && desk.machine.session(with: sessionKey(8)) == nil)
        desk.machine.checkInvariants()
    }

    @Test func `a session that has done nothing ends after a minute, whatever life it asked for`() {
        var desk = Desk()
        let (idle, refused, busy) = (desk.openSession(), desk.openSession(), desk.openSession())
        desk.session = refused
        #expect(desk.claim(jobID(9)).code == .notFound)
        desk.session = busy
        desk.post(newJob(1))
        desk.wait(60_000)
        #expect([idle, refused, busy].map { desk.machine.hasSession($0) } == [false, false, true])
        desk.wait(3_540_000)
        #expect(!desk.machine.hasSession(busy))
        desk.machine.checkInvariants()
    }
}
