import Consensus
import Jobboard
import JobboardClient
import Simulation

// What a worker asks, and how it is written down.
extension ChaosWorker {
    /// Longer than any fault lasts: a lease that only a faulty cluster takes away early.
    private static let longLease: UInt64 = 40_000

    private func operation(_ action: Simulation.Operation.Action, _ jobs: [JobID] = []) -> Simulation.Operation {
        var operation = Simulation.Operation(client: name, action, jobs: jobs, called: 0)
        operation.who = name
        operation.board = Self.board
        return operation
    }

    mutating func newJob() -> NewJob {
        var job = NewJob(id: JobID.random(using: &random), name: "work", details: Array(#"{"by":"\#(name)"}"#.utf8))
        job.priority = Priority.allCases[Int(random.below(UInt64(Priority.allCases.count)))]
        if random.below(10) == 0 { job.delayMilliseconds = 1 + random.below(1500) }
        job.maxFailures = 1 + UInt32(random.below(3))
        return job
    }

    private mutating func lease() -> UInt64 {
        random.below(8) == 0 ? Self.longLease : 700 + random.below(2500)
    }

    mutating func post(_ jobs: [NewJob]) async {
        var asked = operation(.post, jobs.map(\.id))
        asked.isDelayed = jobs.contains { $0.delayMilliseconds != nil }
        let answer = await recorder.record(asked) { [client] in
            .posted(duplicates: try await client.post(jobs, board: Self.board).map(\.duplicate))
        }
        if case .posted(let duplicates) = answer {
            pool.posted(zip(jobs, duplicates).filter { !$1 }.map(\.0.id))
        } else if jobs.count == 1 {
            doubtful = jobs[0]
        }
    }

    mutating func claim(_ job: JobID) async {
        let lease = lease()
        var asked = operation(.claim, [job])
        asked.leaseMilliseconds = lease
        let answer = await recorder.record(asked) { [client, name] in
            .claimed([try Self.claim(of: await client.claim(job, who: name, lease: .milliseconds(Int64(lease))))])
        }
        take(answer)
    }

    mutating func claimNext() async {
        let lease = lease()
        let count = random.below(4) == 0 ? 3 : 1
        let wait: Duration = random.below(3) == 0 ? .milliseconds(Int64(random.below(1000))) : .zero
        let priorities: Priorities = random.below(6) == 0 ? [.high, .low] : []
        var asked = operation(.claimNext)
        asked.leaseMilliseconds = lease
        asked.isFiltered = !priorities.isEmpty
        let answer = await recorder.record(asked) { [client, name] in
            .claimed(
                try await client.claimNext(
                    who: name, count: count, wait: wait, lease: .milliseconds(Int64(lease)), priorities: priorities,
                    board: Self.board
                ).map(Self.claim))
        }
        take(answer)
    }

    private static func claim(of job: Job) throws -> Simulation.Operation.Claim {
        guard let fence = job.fence else {
            throw JobboardError(.internal, "a claim without a fence: \(job)", outcome: .unknown)
        }
        return .init(job: job.id, fence: fence)
    }

    private mutating func take(_ answer: Simulation.Operation.Answer?) {
        guard case .claimed(let claims) = answer else { return }
        held += claims
    }

    mutating func hold(_ claim: Simulation.Operation.Claim) async {
        let dice = random.below(100)
        // Now and then it does not say which claim it means.
        let fence = dice % 10 == 0 ? nil : claim.fence
        switch dice {
        case ..<58: await consume(claim.job, fence, withFollowUp: dice < 12)
        case ..<74:
            await extend(claim.job, fence)
            held.insert(claim, at: 0)
        case ..<92: await abandon(claim.job, fence, isFailure: dice < 82)
        // Forgotten: the lease has to end.
        default: break
        }
        stale = claim
    }

    mutating func use(_ claim: Simulation.Operation.Claim, _ dice: UInt64) async {
        switch dice % 3 {
        case 0: await consume(claim.job, claim.fence, withFollowUp: false)
        case 1: await extend(claim.job, claim.fence)
        default: await abandon(claim.job, claim.fence, isFailure: false)
        }
    }

    private mutating func consume(_ job: JobID, _ fence: UInt64?, withFollowUp: Bool) async {
        var asked = operation(.consume, [job])
        asked.fence = fence
        var followUp: NewJob?
        if withFollowUp { followUp = NewJob(id: JobID.random(using: &random), name: "follow-up") }
        let answer = await recorder.record(asked, followUp: followUp?.id) { [client, name, followUp] in
            let posts = followUp.map { [$0] } ?? []
            return .done(state: try await client.consume(job, who: name, fence: fence, followUps: posts).state)
        }
        guard answer != nil else { return }
        pool.ended()
        if let followUp { pool.posted([followUp.id]) }
    }

    private mutating func extend(_ job: JobID, _ fence: UInt64?) async {
        let lease = lease()
        var asked = operation(.extend, [job])
        asked.fence = fence
        asked.leaseMilliseconds = lease
        _ = await recorder.record(asked) { [client, name] in
            .done(state: try await client.extend(job, who: name, fence: fence, lease: .milliseconds(Int64(lease))).state)
        }
    }

    private mutating func abandon(_ job: JobID, _ fence: UInt64?, isFailure: Bool) async {
        let delay: Duration? = random.below(3) == 0 ? .milliseconds(Int64(1 + random.below(1000))) : nil
        var asked = operation(.abandon, [job])
        asked.fence = fence
        asked.isDelayed = delay != nil || isFailure
        let answer = await recorder.record(asked) { [client, name] in
            let failure = isFailure ? "it broke" : nil
            return .done(state: try await client.abandon(job, who: name, fence: fence, delay: delay, failure: failure).state)
        }
        if answer == .done(state: .trashed) { pool.ended() }
    }

    func look(at job: JobID, _ dice: UInt64) async {
        if dice.isMultiple(of: 2) {
            _ = await recorder.record(operation(.owner, [job])) { [client] in
                .seen(state: nil, owner: try await client.owner(of: job), fence: nil)
            }
        } else {
            _ = await recorder.record(operation(.show, [job])) { [client] in
                let seen = try await client.job(job)
                return .seen(state: seen.state, owner: seen.owner, fence: seen.fence)
            }
        }
    }
}
