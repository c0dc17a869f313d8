import DequeModule

/// The last complete jobs, so that a look-up or a repeated post still finds them: without their details, and bounded in
/// number and bytes. The oldest is forgotten first.
struct CompletedMemory: Sendable {
    struct Remembered: Sendable {
        let job: Job
        /// `NewJob.content(on:)` of its post.
        let content: UInt64
    }

    private(set) var ring: Deque<Remembered> = []
    /// From a job to its number, counted since the beginning.
    private var numbers: [JobID: UInt64] = [:]
    /// The number of the first job in the ring.
    private var firstNumber: UInt64 = 0
    private(set) var bytes = 0

    var mapCount: Int { numbers.count }

    subscript(id: JobID) -> Remembered? {
        guard let number = numbers[id] else { return nil }
        return ring[Int(number - firstNumber)]
    }

    mutating func insert(_ remembered: Remembered, limits: BoardLimits) {
        numbers[remembered.job.id] = firstNumber + UInt64(ring.count)
        bytes += Self.cost(remembered.job)
        ring.append(remembered)
        while ring.count > limits.completedJobs || bytes > limits.completedBytes {
            let oldest = ring.removeFirst()
            numbers[oldest.job.id] = nil
            bytes -= Self.cost(oldest.job)
            firstNumber += 1
        }
    }

    /// Roughly what remembering a job takes.
    static func cost(_ job: Job) -> Int {
        let rare = job.rare?.values
        let texts = (rare?.key?.utf8.count ?? 0) + (rare?.book?.name.utf8.count ?? 0) + (rare?.lastFailure?.utf8.count ?? 0)
        return 256 + job.name.utf8.count + texts + (rare?.result?.count ?? 0)
    }
}
