import Consensus
import Foundation
import Jobboard
import Synchronization
import WireFormat

/// Workers with nothing but a connection, a session and a parked claim; all on one thread, since thousands of whole clients
/// would cost more than what is measured.
final class WorkerCrowd: Sendable {
    static let board = "workers"
    /// Workers that may be on their way to being parked at a time.
    private static let underWay = 200
    /// How long to listen for workers that a post woke needlessly.
    private static let listening: Duration = .milliseconds(20)

    enum Phase: Sendable {
        case park
        case idle
        case wake
    }

    struct Wakes: Sendable {
        var posts = 0
        /// Claims that came back with a job.
        var claimed = 0
        /// Frames that no worker should have got.
        var others = 0
        var closed = 0
        /// From the post's being sent to the claim's being received.
        var times = BenchTimes()
    }

    private struct State {
        var phase = Phase.park
        var parked = 0
    }

    private let scene: AttackScene
    private let workers: Int
    private let waits: Int
    private let state = Mutex(State())

    /// - Parameter waits: requests that are parked on few connections beside the workers, see `Bystanders`.
    init(_ scene: AttackScene, workers: Int, waits: Int) {
        self.scene = scene
        self.workers = workers
        self.waits = waits
    }

    var phase: Phase { state.withLock { $0.phase } }
    var parked: Int { state.withLock { $0.parked } }
    func proceed(to phase: Phase) { state.withLock { $0.phase = phase } }

    /// Parks all, idles until told to wake, and then posts one job after the other.
    func run(posts: Int) async -> Wakes {
        await withCheckedContinuation { finished in
            Thread.detachNewThread { [self] in
                var shift = WorkerShift(scene, waits: waits)
                while shift.parked < workers || !shift.bystanders.areParked, !scene.isOver, phase == .park {
                    shift.begin(min(Self.underWay - shift.underWay, workers - shift.begun))
                    shift.turn(milliseconds: 10)
                    state.withLock { $0.parked = shift.parked }
                }
                if phase == .park { proceed(to: .idle) }
                while phase == .idle, !scene.isOver { shift.turn(milliseconds: 20) }
                for _ in 0..<posts where !scene.isOver { shift.post(listening: Self.listening) }
                finished.resume(returning: shift.wakes)
            }
        }
    }
}

/// The workers themselves, for one thread.
private struct WorkerShift {
    private enum Step {
        case openingSession
        case parked(claim: UInt64)
        /// It has a job, and waits for the answer to its consume.
        case consuming(UInt64)
    }

    private final class Worker {
        let conversation: AttackConversation
        let who: String
        var step = Step.openingSession
        var session: UInt64 = 0
        var sequence: UInt64 = 0

        init(_ conversation: AttackConversation, _ who: String) {
            self.conversation = conversation
            self.who = who
        }
    }

    private let scene: AttackScene
    /// One for each worker, in the same order.
    private var polled: [pollfd] = []
    private(set) var bystanders: Bystanders
    private var dice = SplitMix64(seed: 1)
    private var workers: [Worker] = []
    private var tally = AttackTally()
    private(set) var parked = 0
    private(set) var wakes = WorkerCrowd.Wakes()
    /// The conversation that posts, once its session stands.
    private var poster: AttackConversation?
    private var posterSession: UInt64?
    private var posterSequence: UInt64 = 0

    init(_ scene: AttackScene, waits: Int) {
        self.scene = scene
        bystanders = Bystanders(scene, waits: waits)
    }

    var begun: Int { workers.count }
    var underWay: Int { workers.count - parked }

    mutating func begin(_ count: Int) {
        for _ in 0..<max(0, count) {
            // Fifty to an address, as where workers run on many machines.
            let source = UInt8(2 + workers.count / 50 % 200)
            guard let conversation = AttackConversation(scene, to: scene.leader, from: source) else { return }
            conversation.send(StrangerSpeech.openSession(&dice), &tally)
            polled.append(pollfd(fd: conversation.connection.descriptor, events: Int16(POLLIN), revents: 0))
            workers.append(Worker(conversation, "worker-\(workers.count)"))
        }
    }

    /// Takes in what has come; gives the number of jobs that were claimed.
    @discardableResult
    mutating func turn(milliseconds: Int32) -> Int {
        wakes.others += bystanders.turn()
        // What a connection did not take before it stood.
        for worker in workers where worker.conversation.connection.hasUnsent { worker.conversation.connection.pump() }
        guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return 0 }
        var claimed = 0
        for place in polled.indices where polled[place].revents != 0 {
            let worker = workers[place]
            var answers: [(UInt64, Response)] = []
            worker.conversation.read(&tally) { answers.append(($0, $1)) }
            for (number, response) in answers where take(number, response, worker) { claimed += 1 }
            guard worker.conversation.isClosed else { continue }
            wakes.closed += 1
            // poll passes over negative ones.
            polled[place].fd = -1
        }
        return claimed
    }

    /// True when it is a claimed job.
    private mutating func take(_ number: UInt64, _ response: Response, _ worker: Worker) -> Bool {
        switch worker.step {
        case .openingSession:
            if let session = StrangerSpeech.openedSession(response) {
                worker.session = session
                park(worker)
                parked += 1
            } else {
                wakes.others += 1
            }
        case .parked(let claim):
            if number == claim, case .outcome(.claimed(let jobs)) = response, let job = jobs.first {
                let consume = Command.consume(Holder(job: job.id, who: worker.who), result: nil, followUps: [])
                worker.step = .consuming(send(consume, worker))
                return true
            }
            wakes.others += 1
        case .consuming(let consume):
            if number == consume, case .outcome(.changed) = response { park(worker) } else { wakes.others += 1 }
        }
        return false
    }

    private mutating func park(_ worker: Worker) {
        let claim = ClaimNext(board: WorkerCrowd.board, who: worker.who)
        worker.step = .parked(claim: send(.claimNext(claim), worker, waitMilliseconds: 3_000_000))
    }

    private mutating func send(_ command: Command, _ worker: Worker, waitMilliseconds: UInt32 = 0) -> UInt64 {
        worker.sequence += 1
        return worker.conversation.send(
            StrangerSpeech.command(
                command, session: worker.session, sequence: worker.sequence, acknowledgedBelow: worker.sequence,
                waitMilliseconds: waitMilliseconds), &tally)
    }

    /// Posts one job, waits for the claim that it wakes, and listens for others a little longer.
    mutating func post(listening: Duration) {
        guard let poster = readyPoster(), let session = posterSession else { return }
        posterSequence += 1
        let job = NewJob(id: .random(using: &dice), name: "wake")
        let start = ContinuousClock.now
        poster.send(
            StrangerSpeech.command(
                .post(board: WorkerCrowd.board, jobs: [job]), session: session, sequence: posterSequence,
                acknowledgedBelow: posterSequence), &tally)
        wakes.posts += 1
        var claimed = 0
        while claimed == 0, .now - start < .seconds(5) { claimed += turn(milliseconds: 100) }
        if claimed > 0 { wakes.times.add(nanoseconds: UInt64((ContinuousClock.now - start).inSeconds * 1e9)) }
        let end = ContinuousClock.now + listening
        while .now < end { claimed += turn(milliseconds: 5) }
        poster.read(&tally)
        wakes.claimed += claimed
    }

    private mutating func readyPoster() -> AttackConversation? {
        if let poster, !poster.isClosed { return poster }
        poster = AttackConversation(scene, to: scene.leader, from: 1)
        poster?.send(StrangerSpeech.openSession(&dice), &tally)
        posterSequence = 0
        posterSession = nil
        let deadline = ContinuousClock.now + .seconds(5)
        while posterSession == nil, .now < deadline, let poster, !poster.isClosed {
            var opened: UInt64?
            poster.read(&tally) { _, response in opened = StrangerSpeech.openedSession(response) }
            posterSession = opened
            usleep(2000)
        }
        return poster
    }
}
