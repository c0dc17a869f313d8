import Jobboard
import JobboardClient
import WireFormat

/// Posts the jobs of a file in batches, several in flight.
///
/// Each line's uuid is fixed before the first try, so that trying again can't double a job.
struct JobFilePosting {
    private static let inFlight = 4
    /// A batch ends at this many bytes of text, well inside what a post may hold.
    private static let batchBytes = 1 << 20
    /// Tries of one batch, each as long as the client's timeout.
    private static let tries = 6
    private static let pause: Duration = .milliseconds(500)

    private struct Batch: Sendable {
        var jobs: [NewJob] = []
        /// Of the first and last line, counted from 1.
        var lines = 0...0
        /// Bytes of the file up to its end.
        var end: UInt64 = 0
    }

    private struct Posted: Sendable {
        var jobs: Int
        var duplicates: Int
        var end: UInt64
    }

    let path: String
    let batchSize: Int
    let client: JobboardClient

    private struct Tally {
        var posted = 0
        var duplicates = 0
        var end: UInt64 = 0
        let start = ContinuousClock.now

        mutating func add(_ batch: Posted) {
            posted += batch.jobs - batch.duplicates
            duplicates += batch.duplicates
            end = max(end, batch.end)
        }

        var rate: String {
            Figures.grouped(Int(Double(posted + duplicates) / max(0.001, (ContinuousClock.now - start).inSeconds))) + "/s"
        }

        var summary: String {
            let seconds = Figures.fixed((ContinuousClock.now - start).inSeconds, 1)
            return "posted \(Figures.grouped(posted)) jobs (\(Figures.grouped(duplicates)) duplicates) in \(seconds) s, \(rate)"
        }
    }

    func run() async throws {
        var tally = Tally()
        var bar = ProgressBar()
        do {
            try await post(&tally, &bar)
        } catch {
            bar.clear()
            let failure = CommandFailure(error)
            let before = "\(Figures.grouped(tally.posted)) jobs were posted before"
            throw CommandFailure(failure.status, code: failure.code, "\(failure.message); \(before)")
        }
        bar.clear()
        Console.note(tally.summary)
    }

    private func post(_ tally: inout Tally, _ bar: inout ProgressBar) async throws {
        var file = try LineFile(path)
        let size = file.size
        var line = 0
        // What went wrong is told after the batches in flight have come back, so that the count is right.
        var failure: (any Error)?
        try await withThrowingTaskGroup(of: Result<Posted, any Error>.self) { group in
            var running = 0
            while failure == nil {
                let batch: Batch
                do {
                    batch = try await nextBatch(&file, &line)
                } catch {
                    failure = error
                    break
                }
                if batch.jobs.isEmpty { break }
                if running == Self.inFlight, let result = try await group.next() {
                    take(result, &tally, &failure)
                    running -= 1
                }
                guard failure == nil else { break }
                group.addTask { [self] in await post(batch) }
                running += 1
                show(tally, size, &bar)
            }
            for try await result in group {
                take(result, &tally, &failure)
                show(tally, size, &bar)
            }
        }
        if let failure { throw failure }
    }

    private func take(_ result: Result<Posted, any Error>, _ tally: inout Tally, _ failure: inout (any Error)?) {
        switch result {
        case .success(let posted): tally.add(posted)
        case .failure(let error): failure = failure ?? error
        }
    }

    private func show(_ tally: Tally, _ size: UInt64?, _ bar: inout ProgressBar) {
        let remark = "\(Figures.grouped(tally.posted)) posted, \(tally.rate)"
        if let size { bar.draw(done: tally.end, of: size, remark) } else { bar.draw(remark) }
    }

    /// The next jobs of the file; none at its end. A bad line spoils the batch it is in.
    private func nextBatch(_ file: inout LineFile, _ line: inout Int) async throws(CommandFailure) -> Batch {
        var batch = Batch()
        var bytes = 0
        while batch.jobs.count < batchSize, bytes < Self.batchBytes {
            line += 1
            do throws(CommandFailure) {
                guard let text = try await file.next() else { break }
                guard !text.allSatisfy(Self.isSpace) else { continue }
                batch.jobs.append(try Self.job(text))
                bytes += text.count
            } catch {
                throw CommandFailure(error.status, code: error.code, "\(path), line \(line): \(error.message)")
            }
            batch.lines = batch.jobs.count == 1 ? line...line : batch.lines.lowerBound...line
        }
        batch.end = file.consumed
        return batch
    }

    private static func job(_ text: [UInt8]) throws(CommandFailure) -> NewJob {
        do {
            return try NewJobJSON.read(text, otherwise: .random())
        } catch {
            throw CommandFailure(.usage, code: error.code.rawValue, error.message)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0d
    }

    /// Tries again where that may help.
    private func post(_ batch: Batch) async -> Result<Posted, any Error> {
        for attempt in 1... {
            do throws(JobboardError) {
                let posted = try await client.post(batch.jobs)
                let duplicates = posted.count { $0.duplicate }
                return .success(Posted(jobs: posted.count, duplicates: duplicates, end: batch.end))
            } catch {
                guard attempt < Self.tries, Self.isPassing(error), (try? await Task.sleep(for: Self.pause)) != nil else {
                    var error = error
                    error.message = "\(path), lines \(batch.lines.lowerBound) to \(batch.lines.upperBound): \(error.message)"
                    return .failure(error)
                }
            }
        }
        preconditionFailure("an endless loop ended")
    }

    private static func isPassing(_ error: JobboardError) -> Bool {
        [.unavailable, .overloaded, .sessionExpired].contains(error.code)
    }
}
