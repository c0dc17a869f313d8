import Jobboard
import JobboardClient
import WireFormat

/// Posts the jobs of a file in batches, in their order: what comes behind a line that is refused is not on the board.
///
/// Each line's uuid is fixed before the first try, so that trying again can't double a job.
struct JobFilePosting {
    /// A batch ends at this many bytes of text, well inside what a post may hold.
    private static let batchBytes = 1 << 20
    /// Tries of one batch, each as long as the client's timeout.
    private static let tries = 6
    private static let pause: Duration = .milliseconds(500)
    /// So many refused lines are told of one by one.
    private static let toldRefusals = 10

    private struct Line: Sendable {
        var number: Int
        var text: [UInt8]
        var job: NewJob
    }

    private struct Batch: Sendable {
        var lines: [Line] = []
        /// Where it begins in the file, counted from 1, and where the next one does.
        var start: Int
        var next: Int
        /// Bytes of the file up to its end.
        var end: UInt64 = 0
    }

    /// A line that can't be posted, and why.
    private struct Refusal: Sendable {
        var number: Int
        var text: [UInt8]
        var reason: String
    }

    private struct Posted: Sendable {
        var jobs = 0
        var duplicates = 0
        var refusals: [Refusal] = []
    }

    private struct Tally {
        var posted = 0
        var duplicates = 0
        var refused = 0
        var end: UInt64 = 0
        /// The first line that is not done with.
        var nextLine = 1
        let start = ContinuousClock.now

        mutating func add(_ posted: Posted) {
            self.posted += posted.jobs - posted.duplicates
            duplicates += posted.duplicates
        }

        var rate: String {
            Figures.grouped(Int(Double(posted + duplicates) / max(0.001, (ContinuousClock.now - start).inSeconds))) + "/s"
        }

        var summary: String {
            let seconds = Figures.fixed((ContinuousClock.now - start).inSeconds, 1)
            return "posted \(Figures.grouped(posted)) jobs (\(Figures.grouped(duplicates)) duplicates) in \(seconds) s, \(rate)"
        }
    }

    let path: String
    let batchSize: Int
    let client: JobboardClient
    /// Where refused lines go; nil to stop at the first.
    let refused: RefusedLines?

    func run() async throws {
        var tally = Tally()
        var bar = ProgressBar()
        do {
            try await post(&tally, &bar)
        } catch {
            bar.clear()
            let failure = CommandFailure(error)
            throw CommandFailure(failure.status, code: failure.code, "\(failure.message); \(advice(failure, tally))")
        }
        bar.clear()
        Console.note(tally.summary)
        guard tally.refused > 0, let refused else { return }
        let count = Figures.grouped(tally.refused)
        throw CommandFailure(.refused, code: "refused", "\(count) lines were refused; they are in \(refused.path)")
    }

    /// How to go on behind what is on the board.
    private func advice(_ failure: CommandFailure, _ tally: Tally) -> String {
        let line = tally.nextLine
        let done = line == 1 ? "nothing is posted" : "all lines before line \(line) are posted"
        let how = line == 1 || path == "-" ? "" : ": tail -n +\(line) \(path) | jobboard post --from -"
        // Posted again, a line without a uuid would make a second job.
        let doubt = failure.status == .outcomeUnknown ? "; lines without a uuid may be doubled by that" : ""
        return "\(done); go on from line \(line)\(how)\(doubt)"
    }

    /// While one batch is on its way, the next one is read.
    private func post(_ tally: inout Tally, _ bar: inout ProgressBar) async throws {
        var file = try LineFile(path)
        let size = file.size
        var refusals: [Refusal] = []
        var batch = try await nextBatch(&file, from: 1, &refusals)
        while true {
            // A failure to read on is told after what was read before it is on the board.
            var next: Result<Batch, any Error>
            let current = batch
            async let posting = post(current)
            do {
                next = .success(try await nextBatch(&file, from: batch.next, &refusals))
            } catch {
                next = .failure(error)
            }
            let posted = try await posting
            tally.add(posted)
            tally.nextLine = batch.next
            tally.end = batch.end
            let due = (posted.refusals + refusals).filter { $0.number < batch.next }.sorted { $0.number < $1.number }
            refusals.removeAll { $0.number < batch.next }
            for refusal in due { try put(refusal, &tally, &bar) }
            show(tally, size, &bar)
            batch = try next.get()
            if batch.next == batch.start { return }
        }
    }

    private func put(_ refusal: Refusal, _ tally: inout Tally, _ bar: inout ProgressBar) throws(CommandFailure) {
        guard let refused else { return }
        try refused.add(refusal.text)
        tally.refused += 1
        guard tally.refused <= Self.toldRefusals else { return }
        bar.clear()
        Console.note("jobboard: " + Console.printable("\(path), line \(refusal.number): \(refusal.reason)"))
        if tally.refused == Self.toldRefusals { Console.note("jobboard: further refusals are not told one by one") }
    }

    private func show(_ tally: Tally, _ size: UInt64?, _ bar: inout ProgressBar) {
        let remark = "\(Figures.grouped(tally.posted)) posted, \(tally.rate)"
        if let size { bar.draw(done: tally.end, of: size, remark) } else { bar.draw(remark) }
    }

    /// The next jobs of the file; no line at all at its end. Lines that are no jobs are refused, or spoil their batch.
    private func nextBatch(
        _ file: inout LineFile, from start: Int, _ refusals: inout [Refusal]
    ) async throws(CommandFailure) -> Batch {
        var batch = Batch(start: start, next: start)
        var bytes = 0
        while batch.lines.count < batchSize, bytes < Self.batchBytes {
            let number = batch.next
            do throws(CommandFailure) {
                guard let text = try await file.next() else { break }
                batch.next += 1
                bytes += text.count
                guard !text.allSatisfy(Self.isSpace) else { continue }
                do throws(JobboardError) {
                    batch.lines.append(Line(number: number, text: text, job: try NewJobJSON.read(text, otherwise: .random())))
                } catch {
                    guard refused != nil else { throw CommandFailure(.usage, code: error.code.rawValue, error.message) }
                    refusals.append(Refusal(number: number, text: text, reason: "\(error)"))
                }
            } catch {
                throw CommandFailure(error.status, code: error.code, "\(path), line \(number): \(error.message)")
            }
        }
        batch.end = file.consumed
        return batch
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0d
    }

    private func post(_ batch: Batch) async throws -> Posted {
        var posted = Posted()
        try await post(batch.lines[...], &posted)
        return posted
    }

    /// All of these lines at once; when they are refused and refused lines may be left out, each half by itself.
    private func post(_ lines: ArraySlice<Line>, _ posted: inout Posted) async throws {
        guard let first = lines.first, let last = lines.last else { return }
        do throws(JobboardError) {
            let answers = try await tryToPost(lines.map(\.job))
            posted.jobs += answers.count
            posted.duplicates += answers.count { $0.duplicate }
        } catch {
            guard refused != nil, Self.isRefusal(error) else {
                var error = error
                let which = lines.count == 1 ? "line \(first.number)" : "lines \(first.number) to \(last.number)"
                error.message = "\(path), \(which): \(error.message)"
                throw error
            }
            guard lines.count > 1 else {
                return posted.refusals.append(Refusal(number: first.number, text: first.text, reason: "\(error)"))
            }
            let middle = lines.startIndex + lines.count / 2
            try await post(lines[..<middle], &posted)
            try await post(lines[middle...], &posted)
        }
    }

    /// Tries again where that may help.
    private func tryToPost(_ jobs: [NewJob]) async throws(JobboardError) -> [PostedJob] {
        var attempt = 1
        while true {
            do throws(JobboardError) {
                return try await client.post(jobs)
            } catch {
                guard attempt < Self.tries, Self.isPassing(error), (try? await Task.sleep(for: Self.pause)) != nil else {
                    throw error
                }
            }
            attempt += 1
        }
    }

    private static func isPassing(_ error: JobboardError) -> Bool {
        [.unavailable, .overloaded, .sessionExpired].contains(error.code)
    }

    /// Wrong with a job itself, so that trying again is of no use.
    private static func isRefusal(_ error: JobboardError) -> Bool {
        [.invalidArgument, .tooLarge, .duplicate].contains(error.code)
    }
}
