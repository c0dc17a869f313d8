import Jobboard
import NodeEngine

extension SimulatedCluster {
    /// A snapshot that no node can load would only be noticed after a restart, when it is too late: so each is read again when
    /// it is taken.
    func checkLoadable(_ state: AppliedState, at node: Int) throws {
        var encoder = SnapshotEncoder(state)
        var decoder = SnapshotDecoder(limits: settings.limits, rememberedEvents: settings.rememberedEvents)
        do throws(SnapshotError) {
            while let piece = encoder.next() { try decoder.take(piece) }
            let loaded = try decoder.finish()
            guard loaded.machine.fingerprint() == state.machine.fingerprint() else {
                throw SnapshotError("it holds another state")
            }
        } catch {
            throw Violation("node \(nodes[node].id) takes a snapshot at \(state.index) that can't be loaded: \(error)")
        }
    }
}
