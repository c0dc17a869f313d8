import JobboardClient
import NIOCore
import NIOPosix
import Synchronization
import WireFormat

/// Asks each node again and again how it stands, and tells the attacks who leads.
final class StrangersPulse: Sendable {
    private static let pause: Duration = .milliseconds(500)
    private static let timeout: Duration = .seconds(2)

    private struct State {
        var statuses: [UInt64: NodeStatus] = [:]
        /// When each answered last.
        var answered: [UInt64: ContinuousClock.Instant] = [:]
        var term: UInt64 = 0
        var elections = 0
    }

    private let stage: StrangersStage
    private let scene: AttackScene
    private let client: JobboardClient
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let state = Mutex(State())

    init(_ stage: StrangersStage, _ scene: AttackScene) throws {
        self.stage = stage
        self.scene = scene
        client = try stage.makeClient(timeout: Self.timeout, eventLoopGroup: group)
    }

    /// Times that a node was seen to lead in a new term.
    var elections: Int { state.withLock { $0.elections } }
    var statuses: [UInt64: NodeStatus] { state.withLock { $0.statuses } }

    func close() async {
        await client.shutdown()
        try? await group.shutdownGracefully()
    }

    /// Until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for target in stage.targets {
                group.addTask { [self] in
                    while !Task.isCancelled {
                        _ = await look(target.node)
                        try? await Task.sleep(for: Self.pause)
                    }
                }
            }
        }
    }

    @discardableResult
    func look(_ node: UInt64) async -> NodeStatus? {
        let address = stage.addresses[Int(node) - 1]
        guard let status = try? await client.status(of: address, timeout: Self.timeout) else { return nil }
        state.withLock { state in
            state.statuses[node] = status
            state.answered[node] = .now
            guard status.role == .leader, status.term > state.term else { return }
            state.term = status.term
            state.elections += 1
            scene.setLeader(node)
        }
        return status
    }

    /// Waits until all nodes answer since now, one leads, and all know the same leader; false when they don't in time
    /// or `isHopeful` says that they won't.
    func settled(within limit: Duration, while isHopeful: () -> Bool = { true }) async -> Bool {
        let (start, deadline) = (ContinuousClock.now, ContinuousClock.now + limit)
        while .now < deadline, !Task.isCancelled, isHopeful() {
            let isSettled = state.withLock { state in
                let nodes = stage.targets.map(\.node)
                guard nodes.allSatisfy({ state.answered[$0].map { $0 > start } ?? false }) else { return false }
                let leaders = Set(nodes.map { state.statuses[$0]?.leader })
                guard leaders.count == 1, let leader = leaders.first, let leader else { return false }
                return state.statuses[leader]?.role == .leader
            }
            if isSettled { return true }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// Waits until a node that was started again has applied what the cluster had agreed on.
    func caughtUp(_ node: UInt64, with commit: UInt64, within limit: Duration) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while .now < deadline, !Task.isCancelled {
            if let status = await look(node), status.role != .repairing, status.applied >= commit { return true }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    /// The highest commit that any node has told.
    var commit: UInt64 { state.withLock { state in state.statuses.values.map { UInt64($0.commit) }.max() ?? 0 } }
}
