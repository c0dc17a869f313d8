import Jobboard
import WireFormat

// Status and metrics show how often each budget was exceeded, so that an operator sees which one clients meet.
extension Engine {
    /// Refuses a request because it would exceed a budget, and counts that.
    mutating func refuse(_ client: ClientReference, _ error: JobboardError, over budget: Budget, _ effects: inout [EngineEffect])
    {
        refusals[budget, default: 0] += 1
        effects.append(.reply(client, .failed(error)))
    }

    /// Counts what the state's rules refuse for want of room, at the node that judges the request.
    mutating func countRefusal(_ outcome: Outcome, of command: Command) {
        guard case .refused(let error) = outcome, error.code == .overloaded else { return }
        switch command {
        case .openSession: refusals[.clusterSessions, default: 0] += 1
        case .post where state.machine.boardCount >= state.machine.limits.boards: refusals[.boards, default: 0] += 1
        default: break
        }
    }
}
