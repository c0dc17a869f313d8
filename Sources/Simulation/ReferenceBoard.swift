import Consensus
import EventLog
import Jobboard
import NodeEngine

/// What tells a client's command from all others.
struct CallKey: Hashable {
    var session: UInt64
    var sequence: UInt64
}

/// The boards as the committed log makes them, applied once from outside: what every node and every watcher must agree with.
struct ReferenceBoard {
    private(set) var state: AppliedState
    /// Every event there was; the one with position p is at p - 1.
    private(set) var events: [Event] = []
    private var live: [JobID: UInt64] = [:]
    /// Leases that ended, by job.
    private var lost: [JobID: UInt32] = [:]
    private var gone: Set<JobID> = []
    private var lastFence: UInt64 = 0
    private var lastTime: UInt64 = 0
    /// The requests that had an effect, in the order of the log; copies among them.
    private(set) var effects: [(key: CallKey, index: LogIndex, term: Term)] = []
    private let opener = Opener { try? BlockCodec.payload(of: $0) }

    init(limits: BoardLimits) {
        state = AppliedState(limits: limits)
    }

    mutating func apply(_ entry: Entry, _ sights: inout Sights) throws(Violation) {
        guard entry.time >= lastTime else {
            throw Violation("entry \(entry.index) is stamped \(entry.time), and one before it \(lastTime)")
        }
        lastTime = entry.time
        let calls: [SessionCommand]
        do {
            calls = try AppliedState.commands(in: entry, opener: opener)
        } catch {
            throw Violation("committed entry \(entry.index) can't be applied: \(error)")
        }
        var effective: [Int] = []
        let new = state.apply(entry, count: calls.count, call: { calls[$0] }) { place, outcome in
            if outcome.hasEffect { effective.append(place) }
        }
        for place in effective {
            let key = CallKey(session: calls[place].session, sequence: calls[place].sequence)
            effects.append((key, entry.index, entry.term))
        }
        if entry.kind == .tick { sights.add(.timeEntries) }
        for event in new { try take(event, &sights) }
        events += new
    }

    /// Fences grow, a job has one live claim at most, and what is over is over.
    private mutating func take(_ event: Event, _ sights: inout Sights) throws(Violation) {
        switch event.kind {
        case .claimed:
            guard let fence = event.fence, fence > lastFence else {
                throw Violation("event \(event.position) claims with fence \(event.fence ?? 0) after fence \(lastFence)")
            }
            guard live.updateValue(fence, forKey: event.job) == nil, !gone.contains(event.job) else {
                throw Violation("job \(event.job) was claimed with fence \(fence) while it was claimed or gone")
            }
            lastFence = fence
            if let lost = lost[event.job], let job = state.machine.job(event.job) {
                let most = job.maxLostClaims ?? NewJob.defaultMaxLostClaims
                guard most == 0 || lost < most else {
                    throw Violation("job \(event.job) was claimed after \(lost) lost claims, and \(most) are its most")
                }
            }
        case .abandoned, .failed, .leaseExpired, .consumed:
            try endClaim(event)
            if event.kind == .leaseExpired {
                sights.add(.leaseExpiries)
                lost[event.job, default: 0] += 1
            }
            if event.kind == .consumed { gone.insert(event.job) }
        case .trashed:
            if event.fence != nil { try endClaim(event) }
            gone.insert(event.job)
            sights.add(.jobsTrashed)
            if let lost = lost[event.job], state.machine.job(event.job)?.maxLostClaims == lost { sights.add(.claimsLost) }
        case .extended:
            guard let fence = event.fence, live[event.job] == fence else {
                throw Violation("event \(event.position) extends a claim of job \(event.job) that is not live")
            }
        case .posted, .restored, .purged, .paused, .resumed: break
        }
    }

    private mutating func endClaim(_ event: Event) throws(Violation) {
        guard let fence = event.fence, live.removeValue(forKey: event.job) == fence else {
            throw Violation("event \(event.position) (\(event.kind.word)) ends a claim of job \(event.job) that is not live")
        }
    }
}
