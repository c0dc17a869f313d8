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

    /// Until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            _ = await look()
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// How the nodes stand now.
    func look() async -> [NodeStatus] {
        let found = await ClusterStatus.ask(addresses, through: client, timeout: .milliseconds(500)).compactMap(\.status)
        // A node that was cut off may still think it leads: the highest term tells.
        if let leader = found.filter({ $0.role == .leader }).max(by: { $0.term < $1.term }) {
            state.withLock { reigns in
                guard leader.term > reigns.last?.term ?? 0 else { return }
                reigns.append(Reign(node: leader.node, term: leader.term, since: .now))
            }
        }
        return found
    }
}
