import Jobboard

/// What a log says of jobs, gathered event by event. A pure value.
struct LoggedFacts {
    struct Claim: Equatable {
        var job: JobID
        var owner: String
    }

    struct Consume: Equatable {
        var fence: UInt64
        var owner: String
        var entry: UInt64
    }

    /// The entry that posted each job.
    private(set) var posted: [JobID: UInt64] = [:]
    private(set) var consumed: [JobID: Consume] = [:]
    private(set) var claims: [UInt64: Claim] = [:]
    private(set) var findings: [String] = []
    private var lastFence: UInt64 = 0
    private var lastPosition: UInt64 = 0

    mutating func add(_ event: Event, entry: UInt64) {
        if event.position != lastPosition + 1 { findings.append("event \(event.position) follows \(lastPosition)") }
        lastPosition = event.position
        switch event.kind {
        case .posted:
            if posted.updateValue(entry, forKey: event.job) != nil { findings.append("\(event.job) was posted twice") }
        case .claimed:
            let fence = event.fence ?? 0
            if fence <= lastFence { findings.append("fence \(fence) of \(event.job) was given after \(lastFence)") }
            lastFence = max(lastFence, fence)
            claims[fence] = Claim(job: event.job, owner: event.owner ?? "")
        case .consumed:
            let consume = Consume(fence: event.fence ?? 0, owner: event.owner ?? "", entry: entry)
            if let first = consumed[event.job] {
                findings.append("\(event.job) was consumed in entry \(first.entry) and again in \(entry)")
            } else {
                consumed[event.job] = consume
            }
        default: break
        }
    }
}
