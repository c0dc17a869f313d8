import Consensus
import Jobboard
import WireFormat

// The digest of the whole state reads every job, so it is computed beside the loop, from a copy.
extension Engine {
    mutating func askForDigest(_ client: ClientReference, _ effects: inout [EngineEffect]) {
        switch digests.ask(client, limit: settings.digestRequests, now: now.monotonic) {
        case .compute: effects.append(.computeDigest(state))
        case .wait: break
        case .answer(let index, let digest): effects.append(.reply(client, .digest(index: index, digest)))
        case .refuse:
            let error = JobboardError(.overloaded, "too many requests wait for the state's digest")
            refuse(client, error, over: .digestRequests, &effects)
        }
    }

    mutating func computedDigest(_ index: LogIndex, _ digest: UInt64, _ effects: inout [EngineEffect]) {
        for client in digests.computed(index: index, digest: digest) {
            effects.append(.reply(client, .digest(index: index, digest)))
        }
    }
}
