import Foundation

/// A command that was started for a job, until nothing of it is left. Lives on the `CommandThread`.
///
/// The job is finished when the command's own process ends, whatever it has started in the background: the rest of its
/// process group then gets SIGTERM, and SIGKILL after the grace; until then what it says is passed on.
struct RunningCommand {
    /// From SIGTERM to SIGKILL.
    static let grace = Duration.seconds(5)
    /// How often to look for what no descriptor tells: the end of a process without one, or of the last process of a group.
    private static let look = Duration.milliseconds(50)
    /// As much as a pipe takes without waiting when it is ready, and as much as is written to standard error at once.
    private static let pieceBytes = 4096

    private let order: CommandThread.Order
    private let pid: pid_t
    /// Tells of the process's end; nil where the system has none to give.
    private var ending: Int32?
    private var input: Int32?
    private var rest: ArraySlice<UInt8>
    private var output: Int32?
    /// What the command said that standard error did not take yet.
    private var unsaid: ArraySlice<UInt8> = []
    private var tail = LineTail()

    private var stopAt: ContinuousClock.Instant?
    private var killAt: ContinuousClock.Instant?
    private var ranTooLong = false
    /// Its process was waited for, and the order is answered.
    private var hasEnded = false
    private(set) var isOver = false

    /// Where the round in progress has what is waited for.
    private var places = Places()

    private struct Places {
        var ending: PollRound.Place?
        var input: PollRound.Place?
        var output: PollRound.Place?
        var error: PollRound.Place?
    }

    init(_ order: CommandThread.Order) throws(StartFailure) {
        let program = order.command.words[0]
        let input = try Spawn.pipe(for: program)
        do throws(StartFailure) {
            let output = try Spawn.pipe(for: program)
            do throws(StartFailure) {
                pid = try Spawn.start(order.command, streams: .init(input: input.read, output: nil, error: output.write))
            } catch {
                output.closeBoth()
                throw error
            }
            close(output.write)
            self.output = output.read
        } catch {
            input.closeBoth()
            throw error
        }
        close(input.read)
        self.order = order
        self.input = input.write
        rest = order.input[...]
        for file in [self.input, output] { if let file { _ = fcntl(file, F_SETFL, O_NONBLOCK) } }
        ending = Spawn.descriptor(of: pid)
        stopAt = order.limit.map { .now + $0 }
        if rest.isEmpty { endInput() }
    }

    /// Says what it waits for.
    mutating func prepare(_ round: inout PollRound, _ now: ContinuousClock.Instant) {
        if order.stop.isPressed { stop(now) }
        places = Places()
        if !hasEnded {
            if let ending { places.ending = round.add(ending, POLLIN) } else { round.add(deadline: now + Self.look) }
            if let input { places.input = round.add(input, POLLOUT) }
            if let stopAt, killAt == nil { round.add(deadline: stopAt) }
        } else if output == nil {
            round.add(deadline: now + Self.look)
        }
        // What is said is read no faster than it is passed on, so that a command that says much waits, and our memory doesn't grow.
        if !unsaid.isEmpty {
            places.error = round.add(STDERR_FILENO, POLLOUT)
        } else if let output {
            places.output = round.add(output, POLLIN)
        }
        if let killAt { round.add(deadline: killAt) }
    }

    /// Does what can be done.
    mutating func advance(_ round: PollRound, _ now: ContinuousClock.Instant) {
        if round.isReady(places.input) { writeInput() }
        if round.isReady(places.error) { sayMore() }
        if round.isReady(places.output) { listen(atMost: Self.pieceBytes) }
        if !hasEnded {
            if let stopAt, now >= stopAt, killAt == nil {
                ranTooLong = true
                stop(now)
            }
            if round.isReady(places.ending) || (ending == nil && isZombie) { end(now) }
        }
        if let killAt, now >= killAt {
            _ = kill(-pid, SIGKILL)
            self.killAt = hasEnded ? nil : now + Self.grace
            if hasEnded { finish() }
        } else if hasEnded, output == nil, unsaid.isEmpty, kill(-pid, 0) != 0 {
            finish()
        }
    }

    private mutating func stop(_ now: ContinuousClock.Instant) {
        guard killAt == nil else { return }
        _ = kill(-pid, SIGTERM)
        killAt = now + Self.grace
    }

    /// The command's own process has ended: the job's answer is known.
    private mutating func end(_ now: ContinuousClock.Instant) {
        endInput()
        // What is in the pipe now, and no more: something left behind may go on writing for ever.
        var left: Int32 = 0
        if let output, ioctl(output, UInt(FIONREAD), &left) == 0 { listen(atMost: Int(left)) }
        // Before it is waited for, since its number, and the group's, is taken until then.
        _ = kill(-pid, SIGTERM)
        let end = RunningProcess.End.reaping(pid)
        hasEnded = true
        if let ending { close(ending) }
        ending = nil
        if killAt == nil { killAt = now + Self.grace }
        order.answer(.success(.init(end: end, lastErrorLine: tail.line, ranTooLong: ranTooLong)))
    }

    private mutating func finish() {
        if let output { close(output) }
        output = nil
        unsaid = []
        isOver = true
    }

    private var isZombie: Bool {
        var information = siginfo_t()
        // An error means that there is nothing to wait for, and is found out again when it is waited for.
        return waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT) != 0 || information.si_signo != 0
    }

    private mutating func writeInput() {
        guard let input else { return }
        let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        // A command need not read its input.
        rest = count < 0 ? [] : rest.dropFirst(count)
        if rest.isEmpty { endInput() }
    }

    private mutating func endInput() {
        if let input { close(input) }
        input = nil
        rest = []
    }

    /// Reads what it says, keeps the last line, and passes it on.
    private mutating func listen(atMost limit: Int) {
        guard let output else { return }
        var heard = 0
        while heard < limit {
            var piece = [UInt8](repeating: 0, count: min(limit - heard, 1 << 16))
            let count = read(output, &piece, piece.count)
            if count < 0, errno == EAGAIN || errno == EINTR { return sayMore() }
            guard count > 0 else {
                close(output)
                self.output = nil
                return sayMore()
            }
            piece.removeSubrange(count...)
            tail.add(piece)
            unsaid += piece
            heard += count
        }
        sayMore()
    }

    private mutating func sayMore() {
        while !unsaid.isEmpty {
            var state = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
            guard poll(&state, 1, 0) != 0 else { return }
            // What can't be written there is lost.
            _ = Console.write(Array(unsaid.prefix(Self.pieceBytes)), to: STDERR_FILENO)
            unsaid = unsaid.dropFirst(Self.pieceBytes)
        }
    }
}
