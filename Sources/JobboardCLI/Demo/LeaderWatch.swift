import JobboardClient
import Synchronization
import WireFormat

/// Asks all nodes again and again who leads.
final class LeaderWatch: Sendable {
    struct Reign: Sendable, Equatable {
        var node: UInt64
        var term: UInt64
        var since: ContinuousClock.Instant
    }

    private static let pause: Duration = .milliseconds(50)

    private let client: JobboardClient
    private let addresses: [String]
    private let state = Mutex<[Reign]>([])

    init(client: JobboardClient, addresses: [String]) {
        self.client = client
        self.addresses = addresses
    }

    /// All that was seen, the present one last.
    var reigns: [Reign] { state.withLock { $0 } }

    /// Asks each node on its own, so that one that is dead holds up nobody, until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for address in addresses {
                group.addTask { [self] in
                    while !Task.isCancelled {
                        if let status = try? await client.status(of: address, timeout: .milliseconds(500)) { note(status) }
                        try? await Task.sleep(for: Self.pause)
                    }
                }
            }
        }
    }

    /// How the nodes stand now; those that do not answer are left out.
    func look() async -> [NodeStatus] {
        let found = await ClusterStatus.ask(addresses, through: client, timeout: .milliseconds(500)).compactMap(\.status)
        for status in found { note(status) }
        return found
    }

    /// Each node's digest of its boards, and the entry that it is of; those that do not answer are left out.
    func lookDeeper() async -> [(index: UInt64, digest: UInt64)] {
        var answers: [(index: UInt64, digest: UInt64)] = []
        for address in addresses {
            if let answer = try? await client.digest(of: address, timeout: .milliseconds(500)) { answers.append(answer) }
        }
        return answers
    }

    /// A node that was cut off may still think it leads: a leader of a later term is the leader.
    private func note(_ status: NodeStatus) {
        guard status.role == .leader else { return }
        state.withLock { reigns in
            guard status.term > reigns.last?.term ?? 0 else { return }
            reigns.append(Reign(node: status.node, term: status.term, since: .now))
        }
    }
}
