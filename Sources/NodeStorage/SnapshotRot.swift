import Consensus
package import NodeEngine

/// A snapshot of this node has rotted.
package struct SnapshotRot: Sendable {
    /// What the engine should hear.
    package let input: EngineInput
    /// Where it has rotted, a line each.
    package let faults: [String]

    init(_ index: LogIndex, _ snapshot: SnapshotReference?, faults: [String]) {
        input = .snapshotRotted(index, snapshot)
        self.faults = faults
    }
}
