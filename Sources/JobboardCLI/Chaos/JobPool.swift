import Consensus
import Jobboard
import Synchronization

/// Jobs that the clients have heard of, so that they get in each other's way.
final class JobPool: Sendable {
    private static let memory = 64

    private struct State {
        var recent: [JobID] = []
        var place = 0
        var outstanding = 0
    }

    private let state = Mutex(State())

    func posted(_ jobs: [JobID]) {
        state.withLock { state in
            state.outstanding += jobs.count
            for job in jobs {
                if state.recent.count < Self.memory {
                    state.recent.append(job)
                } else {
                    state.recent[state.place] = job
                    state.place = (state.place + 1) % Self.memory
                }
            }
        }
    }

    /// Consumed or trashed.
    func ended() {
        state.withLock { $0.outstanding -= 1 }
    }

    /// About how many are left to do.
    var outstanding: Int { state.withLock { $0.outstanding } }

    func any(_ random: inout SplitMix64) -> JobID? {
        let luck = random.next()
        return state.withLock { state in
            state.recent.isEmpty ? nil : state.recent[Int(luck % UInt64(state.recent.count))]
        }
    }
}
