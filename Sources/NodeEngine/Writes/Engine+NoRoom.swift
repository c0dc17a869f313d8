import Jobboard
import WireFormat

extension Engine {
    /// Refuses a write that has no room among those that wait, before anything reads through its texts, as a check of
    /// 4 MiB of JSON costs far more than the refusal. False when it may have room, or when others answer it: what was answered
    /// before is answered again, and so are jobs that are on a board already, since neither needs room.
    mutating func refusesForRoom(_ write: Write, waited: Bool, _ effects: inout [EngineEffect]) -> Bool {
        // It takes at least as many bytes as its bodies.
        guard !waiting.hasRoom(for: write.call.command.bodyBytes, limit: settings.waitingLimit) else { return false }
        guard state.machine.hasSession(write.call.session), state.machine.answeredBefore(write.call) == nil,
            !state.machine.knowsJobs(of: write.call.command)
        else { return false }
        if answeredWithoutEffect(write, waited: waited, &effects) { return true }
        refuse(write.client, Self.tooManyWaiting, over: .waitingBytes, &effects)
        return true
    }

    static let tooManyWaiting = JobboardError(.overloaded, "too many writes are waiting; try again in a moment")
}

extension Command {
    /// The details, results and failures in it.
    fileprivate var bodyBytes: Int {
        switch self {
        case .post(_, let jobs): jobs.reduce(0) { $0 + $1.details.count }
        case .consume(_, let result, let followUps): followUps.reduce(result?.count ?? 0) { $0 + $1.details.count }
        case .abandon(_, _, let failure): failure?.utf8.count ?? 0
        case .openSession, .closeSession, .claim, .claimNext, .extend: 0
        }
    }
}
