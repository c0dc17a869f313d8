import Consensus
import Jobboard
import NodeEngine
import WireFormat

extension SimulatedCluster {
    /// How long a client waits for an answer before it asks another node, in microseconds.
    private static let patience: UInt64 = 700_000

    mutating func clientTurn(_ client: Int) {
        queue.plan(.clientTurn(client), at: time + 2000 + random.below(20_000))
        if clients[client].goal == nil {
            // The world comes to rest at the end, so that what is left can be compared.
            guard !isHealing else { return }
            clients[client].choose(&random)
            ask(client)
        } else if time - clients[client].sentAt > Self.patience {
            clients[client].target = Int(random.below(UInt64(nodes.count)))
            ask(client)
        }
    }

    private mutating func ask(_ client: Int) {
        clients[client].number += 1
        clients[client].sentAt = time
        var bytes: [UInt8] = []
        let number = clients[client].number
        ClientCodec.append(clients[client].request(), number: number, to: &bytes)
        let body = Array(bytes[Framing.prefixLength...])
        queue.plan(
            .request(to: clients[client].target, client: client, number: number, bytes: body, connection: UInt64(client)),
            at: time + 1 + random.below(2 * plan.delay))
    }

    mutating func reply(_ reference: ClientReference, _ response: Response) {
        if !isHealing, random.below(1000) < plan.replyLoss { return }
        var bytes: [UInt8] = []
        ClientCodec.append(response, number: reference.request, to: &bytes)
        let body = Array(bytes[Framing.prefixLength...])
        queue.plan(
            .reply(client: Int(reference.connection), number: reference.request, bytes: body),
            at: time + 1 + random.below(2 * plan.delay))
    }

    mutating func takeReply(_ client: Int, _ number: UInt64, _ response: Response) throws {
        guard number == clients[client].number, let goal = clients[client].goal else { return }
        switch response {
        case .notLeader(let leader):
            clients[client].target = leader.flatMap { Int($0) }.map { $0 - 1 } ?? Int(random.below(UInt64(nodes.count)))
            // Ask again at its next turn.
            clients[client].sentAt = time > Self.patience ? time - Self.patience : 0
        case .failed(let error) where error.code == .unavailable || error.code == .overloaded:
            clients[client].target = Int(random.below(UInt64(nodes.count)))
            clients[client].sentAt = time > Self.patience ? time - Self.patience : 0
        case .failed, .jobs:
            clients[client].goal = nil
        case .outcome(let outcome):
            clients[client].goal = nil
            clients[client].acknowledged += 1
            report.acknowledged += 1
            try take(outcome, for: goal, client)
        case .job, .owner, .count, .status, .ready, .watching, .events:
            throw Violation(description: "client \(client) got an answer to another question: \(response)")
        }
    }

    private mutating func take(_ outcome: Outcome, for goal: SimulatedClient.Goal, _ client: Int) throws {
        switch (goal, outcome) {
        case (.openSession, .sessionOpened(let session)):
            clients[client].session = session
            clients[client].sequence = 0
        case (.post(let id), .posted(let jobs, _)):
            guard jobs.map(\.id) == [id] else { throw Violation(description: "client \(client) got another job than it posted") }
            postedJobs.append(id)
        case (.claimNext, .claimed(let jobs)):
            try checker.claimed(jobs, by: client)
            clients[client].held += jobs.map { ($0.id, $0.fence!) }
        case (.consume(let job, let fence), .changed):
            report.consumed += 1
            try checker.consumed(job, fence: fence)
        case (.extend, .changed), (.abandon, .changed):
            break
        case (_, .refused(let error)) where error.code == .sessionExpired:
            clients[client].session = 0
            clients[client].held = []
        case (.consume, .refused), (.extend, .refused), (.abandon, .refused):
            // The lease may have ended in between.
            break
        default:
            throw Violation(description: "client \(client) got \(outcome) for \(goal)")
        }
    }
}
