import Jobboard
import JobboardClient
import Synchronization
import WireFormat

/// Asks each node again and again how it stands: who leads, and whether equal logs made equal boards.
final class ChaosPulse: Sendable {
    private static let pause: Duration = .milliseconds(250)
    private static let timeout: Duration = .milliseconds(800)
    private static let memory: UInt64 = 20_000

    private struct State {
        var term: UInt64 = 0
        var leader: UInt64?
        /// Times that somebody was seen to lead in a new term.
        var elections = 0
        /// The first digest told of the boards after an entry.
        var digests: [UInt64: UInt64] = [:]
        var compared = 0
    }

    private let stage: ChaosStage
    private let nodes: ChaosNodes
    private let notes: ChaosNotes
    private let client: JobboardClient
    private let state = Mutex(State())

    init(_ stage: ChaosStage, _ nodes: ChaosNodes, _ notes: ChaosNotes) throws {
        self.stage = stage
        self.nodes = nodes
        self.notes = notes
        client = try stage.makeClient(beginningWith: 0, timeout: Self.timeout)
    }

    /// The node that was last seen to lead in the highest term.
    var leader: Int? { state.withLock { $0.leader.map { Int($0) } } }
    var elections: Int { state.withLock { $0.elections } }
    var lastTerm: UInt64 { state.withLock { $0.term } }
    /// How often two nodes were asked at the same entry.
    var compared: Int { state.withLock { $0.compared } }

    /// Until the task is cancelled; each node on its own, so that one that is dead holds up nobody.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for address in stage.addresses {
                group.addTask { [self] in
                    while !Task.isCancelled {
                        _ = await look(address)
                        try? await Task.sleep(for: Self.pause)
                    }
                }
            }
        }
    }

    func close() async {
        await client.shutdown()
    }

    /// How a node stands now; nil when it does not answer.
    func look(_ address: String) async -> NodeStatus? {
        guard let status = try? await client.status(of: address, timeout: Self.timeout) else { return nil }
        if status.role != .repairing { nodes.answered(Int(status.node)) }
        note(status)
        if status.role != .repairing { _ = await lookDeeper(address, status.node) }
        return status
    }

    /// The digest of a node's boards, and the entry that it is of; nil when the node does not answer.
    private func lookDeeper(_ address: String, _ node: UInt64) async -> (index: UInt64, digest: UInt64)? {
        guard let answer = try? await client.digest(of: address, timeout: Self.timeout) else { return nil }
        note(answer.digest, at: answer.index, of: node)
        return answer
    }

    private func note(_ status: NodeStatus) {
        state.withLock { state in
            guard status.role == .leader, status.term > state.term else { return }
            state.elections += 1
            state.term = status.term
            state.leader = status.node
        }
    }

    private func note(_ digest: UInt64, at index: UInt64, of node: UInt64) {
        let differs = state.withLock { state in
            guard let known = state.digests[index] else {
                if state.digests.count >= Self.memory { state.digests = [:] }
                state.digests[index] = digest
                return false
            }
            state.compared += 1
            return known != digest
        }
        if differs { notes.find("node \(node)'s boards after entry \(index) are not those of another node") }
    }

    /// Waits until all nodes have applied the same and everything; gives the entry, and the position of its last event.
    func agreement(within limit: Duration) async throws -> (entry: UInt64, position: UInt64)? {
        let deadline = ContinuousClock.now + limit
        while .now < deadline {
            var all: [NodeStatus] = []
            var digests: [UInt64] = []
            for address in stage.addresses {
                guard let status = await look(address) else { continue }
                all.append(status)
                guard let answer = await lookDeeper(address, status.node), answer.index == status.applied else { continue }
                digests.append(answer.digest)
            }
            if all.count == stage.nodeCount, digests.count == all.count, Set(digests).count == 1, let first = all.first,
                all.allSatisfy({ Self.isSame($0, first) && $0.applied == $0.lastIndex })
            {
                return (first.applied, first.position)
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        return nil
    }

    private static func isSame(_ one: NodeStatus, _ other: NodeStatus) -> Bool {
        one.applied == other.applied && one.position == other.position && one.commit == one.applied
    }
}
