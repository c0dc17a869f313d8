import Consensus
import Jobboard

/// What a node refuses when disks are short of room.
///
/// The reserve is for what works jobs off: claims, extensions, completions, and the snapshots that let the log be
/// shortened. Posts are refused from its beginning on; everything, when it is used up.
extension Engine {
    mutating func roomChanged(_ room: Room, _ effects: inout [EngineEffect]) {
        guard room != replica.room else { return }
        drive(.room(room), &effects)
        clusterRoom = replica.clusterRoom
        effects.append(.notice(.room(room)))
    }

    /// Why the command can't be done for want of room; nil when it can. It was not proposed, so it has no effect, unless
    /// another copy of it has. While the leadership is handed over it waits for what the next leader says.
    func refusal(of command: Command) -> JobboardError? {
        guard clusterRoom.isShort, !replica.isHandingOver else { return nil }
        if clusterRoom == .none {
            return JobboardError(.readOnly, "\(whoseDisk) full, and its reserve is used up; nothing can be changed")
        }
        guard command.postsJobs else { return nil }
        return JobboardError(.readOnly, "\(whoseDisk) full; no jobs are posted until there is room again")
    }

    private var whoseDisk: String {
        replica.room == clusterRoom ? "the leader's disk is" : "too many nodes' disks are"
    }

    /// Operators hear of it when posts begin to be refused, and when they are taken again.
    mutating func noticeReadOnly(_ effects: inout [EngineEffect]) {
        let isReadOnly = replica.isLeader && clusterRoom.isShort && !replica.isHandingOver
        guard isReadOnly != saidReadOnly else { return }
        saidReadOnly = isReadOnly
        effects.append(.notice(.readOnly(isReadOnly, cluster: clusterRoom)))
    }
}

extension Engine {
    /// The same for memory.
    mutating func noticeMemory(_ effects: inout [EngineEffect]) {
        guard memory.isShort != saidMemoryIsShort else { return }
        saidMemoryIsShort = memory.isShort
        effects.append(.notice(.memoryIsShort(memory.isShort, used: memory.used, limit: memory.limit ?? 0)))
    }
}

extension Command {
    /// It puts new jobs on a board.
    fileprivate var postsJobs: Bool {
        switch self {
        case .post: true
        case .consume(_, _, let followUps): !followUps.isEmpty
        case .openSession, .closeSession, .claim, .claimNext, .extend, .abandon: false
        }
    }
}
