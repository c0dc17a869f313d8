import Jobboard

/// What the events say of jobs, gathered in order. A pure value.
struct LoggedFacts {
    struct Claim: Equatable {
        var job: JobID
        var owner: String
    }

    struct Consume: Equatable {
        var fence: UInt64
        var owner: String
        var place: Place
    }

    /// The entry of an event, where a log still has it; the events of one entry have one time.
    struct Place: Equatable {
        var entry: UInt64?
        var time: Timestamp
    }

    /// Where each job was posted.
    private(set) var posted: [JobID: Place] = [:]
    private(set) var consumed: [JobID: Consume] = [:]
    private(set) var claims: [UInt64: Claim] = [:]
    private(set) var findings: [String] = []
    private var lastFence: UInt64 = 0
    private var lastPosition: UInt64 = 0

    mutating func add(_ event: Event, entry: UInt64?) {
        let place = Place(entry: entry, time: event.time)
        if event.position != lastPosition + 1 { findings.append("event \(event.position) follows \(lastPosition)") }
        lastPosition = event.position
        switch event.kind {
        case .posted:
            if posted.updateValue(place, forKey: event.job) != nil { findings.append("\(event.job) was posted twice") }
        case .claimed:
            let fence = event.fence ?? 0
            if fence <= lastFence { findings.append("fence \(fence) of \(event.job) was given after \(lastFence)") }
            lastFence = max(lastFence, fence)
            claims[fence] = Claim(job: event.job, owner: event.owner ?? "")
        case .consumed:
            let consume = Consume(fence: event.fence ?? 0, owner: event.owner ?? "", place: place)
            if let first = consumed[event.job] {
                findings.append("\(event.job) was consumed \(first.place) and again \(place)")
            } else {
                consumed[event.job] = consume
            }
        default: break
        }
    }
}

extension LoggedFacts.Place: CustomStringConvertible {
    var description: String { entry.map { "in entry \($0)" } ?? "at \(time)" }
}
