/// How much more a node's disk can take for its log.
///
/// The log keeps some spare segments ready, made ahead and filled. While the disk has space for further ones there is room.
/// When it has none, what is ready is the reserve: posts may not use it, everything that works jobs off may.
package enum Room: UInt8, Sendable, Comparable, CaseIterable {
    /// The reserve is used up too: what is left of the last segment is for votes.
    case none = 0
    /// A spare was used, and no other could be made.
    case reserve = 1
    /// All spares are ready, and the disk has no space for one more.
    case low = 2
    case ample = 3

    package static func < (left: Room, right: Room) -> Bool { left.rawValue < right.rawValue }

    /// Posts are refused.
    package var isShort: Bool { self < .low }

    /// The word used in `status` and in log lines.
    package var word: String {
        switch self {
        case .none: "none"
        case .reserve: "reserve"
        case .low: "low"
        case .ample: "ample"
        }
    }
}

extension Replica {
    /// How much the whole cluster can take, as the leader knows it: no more than its own disk can, and no more than the
    /// disks of a majority can. A follower of which nothing is known yet counts as having room. Ample where this node does
    /// not lead.
    package var clusterRoom: Room {
        guard case .leader(let leadership) = role else { return .ample }
        let all = configuration.voters.enumerated().map {
            UInt64(($1 == id ? room : leadership.followers[$0].room ?? .ample).rawValue)
        }
        return min(room, Room(rawValue: UInt8(configuration.reachedByMajority(all)))!)
    }

    /// What the memory of this leader and of every voter that it has heard in this term can take: the least. nil where none of
    /// them has a limit, or this node does not lead. Who comes back loads the same state, so silence does not lift a limit.
    package var clusterMemory: UInt64? {
        guard case .leader(let leadership) = role else { return nil }
        var least = settings.memoryBytes
        for follower in leadership.followers where follower.memory > 0 {
            least = least == 0 ? follower.memory : min(least, follower.memory)
        }
        return least == 0 ? nil : least
    }

    /// Without any room, what grows the log is held back: it would take what is left for votes. Elections and the marks of
    /// snapshots, which make room, go on. The leader hears nothing and sends it again.
    func holdsBack(_ new: ArraySlice<Entry>) -> Bool {
        room == .none && new.contains { $0.kind == .commands || $0.kind == .tick }
    }
}
