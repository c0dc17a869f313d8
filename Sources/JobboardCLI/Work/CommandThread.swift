import Foundation
import Synchronization

/// Runs commands, on one thread that starts them, carries their input and what they say, and waits for their ends.
///
/// One thread for all of them, made before the first job is claimed: no job finds later that there is no thread left for it,
/// and since a command is killed when the thread that started it ends, that thread must last as long as the process.
final class CommandThread: Sendable {
    private struct Mail {
        var orders: [Order] = []
        /// Resumed when no command and nothing that one left behind is there any more.
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// A command to run.
    struct Order: Sendable {
        let command: Spawn.Command
        let input: [UInt8]
        /// It is stopped when it runs longer.
        let limit: Duration?
        let stop: StopButton
        let answer: @Sendable (Result<JobProcess.Result, StartFailure>) -> Void
    }

    private let mail = Mutex(Mail())
    private let bell: Bell

    init() throws(CommandFailure) {
        bell = try Bell()
        var thread = pthread_t()
        let this = Unmanaged.passRetained(self)
        let code = pthread_create(&thread, nil, Self.begin, this.toOpaque())
        guard code == 0 else {
            this.release()
            throw .failed("can't start a thread: \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }

    func run(_ order: Order) {
        mail.withLock { $0.orders.append(order) }
        bell.ring()
    }

    /// Has the thread look at the stop buttons.
    func look() {
        bell.ring()
    }

    /// Waits until all commands, and what they left behind in their process groups, have ended.
    func untilNoneIsLeft() async {
        await withCheckedContinuation { continuation in
            mail.withLock { $0.waiting.append(continuation) }
            bell.ring()
        }
    }

    private static let begin: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        Unmanaged<CommandThread>.fromOpaque(argument).takeRetainedValue().run()
    }

    private func run() -> Never {
        var commands: [RunningCommand] = []
        while true {
            for order in mail.withLock({ mail in take(&mail.orders) }) {
                do {
                    commands.append(try RunningCommand(order))
                } catch {
                    order.answer(.failure(error))
                }
            }
            var round = PollRound(bell: bell)
            let now = ContinuousClock.now
            for index in commands.indices { commands[index].prepare(&round, now) }
            round.wait()
            let later = ContinuousClock.now
            for index in commands.indices { commands[index].advance(round, later) }
            commands.removeAll { $0.isOver }
            if commands.isEmpty { releaseWaiting() }
        }
    }

    private func releaseWaiting() {
        let waiting = mail.withLock { mail in mail.orders.isEmpty ? take(&mail.waiting) : [] }
        for continuation in waiting { continuation.resume() }
    }

    private func take<Item>(_ items: inout [Item]) -> [Item] {
        defer { items = [] }
        return items
    }
}

/// Wakes a thread that waits in `poll`.
final class Bell: Sendable {
    private let pipe: Spawn.Pipe

    init() throws(CommandFailure) {
        do {
            pipe = try Spawn.pipe()
        } catch {
            throw .failed("can't make a pipe: \(String(cString: strerror(error.code)))")
        }
        // Full means that it has been rung.
        for file in [pipe.read, pipe.write] { _ = fcntl(file, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        pipe.closeBoth()
    }

    /// Readable when it has been rung.
    var file: Int32 { pipe.read }

    func ring() {
        var byte: UInt8 = 1
        _ = write(pipe.write, &byte, 1)
    }

    func silence() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(pipe.read, &bytes, bytes.count) == bytes.count {}
    }
}

/// Asks for the end of a command, also before it has been started.
final class StopButton: Sendable {
    private let pressed = Atomic(false)

    var isPressed: Bool { pressed.load(ordering: .acquiring) }

    func press() {
        pressed.store(true, ordering: .releasing)
    }
}

/// One wait for descriptors and deadlines of many commands.
struct PollRound {
    /// The place of a descriptor in the round.
    typealias Place = Int

    private let bell: Bell
    private var files: [pollfd]
    private var deadline: ContinuousClock.Instant?

    init(bell: Bell) {
        self.bell = bell
        files = [pollfd(fd: bell.file, events: Int16(POLLIN), revents: 0)]
    }

    mutating func add(_ file: Int32, _ events: Int32) -> Place {
        files.append(pollfd(fd: file, events: Int16(events), revents: 0))
        return files.count - 1
    }

    mutating func add(deadline moment: ContinuousClock.Instant) {
        deadline = min(deadline ?? moment, moment)
    }

    func isReady(_ place: Place?) -> Bool {
        place.map { files[$0].revents != 0 } ?? false
    }

    mutating func wait() {
        var milliseconds: Int32 = -1
        // Rounded up, so that it isn't waited for nothing at all again and again.
        if let deadline { milliseconds = Int32(clamping: max(0, (deadline - .now).inMilliseconds + 1)) }
        let count = poll(&files, nfds_t(files.count), milliseconds)
        if count <= 0 { for index in files.indices { files[index].revents = 0 } }
        if files[0].revents != 0 { bell.silence() }
    }
}
