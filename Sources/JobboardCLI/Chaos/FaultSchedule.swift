import Consensus

/// What goes wrong in one episode.
enum Fault: Hashable, Sendable {
    /// SIGKILL of one node, of as many as the cluster can miss, or of all at once; started again afterwards.
    case kill(Victims)
    /// Killed and started again, several times in a row.
    case restartLoop
    /// SIGSTOP and SIGCONT.
    case stop(Victims)
    case cut(CutShape)
    /// Clients lose a node from sight, and it dies meanwhile: no packet tells them that the connection is gone.
    case unseenDeath
    /// While the cluster is in two parts, one of the larger part dies.
    case deathInTwoParts
    case diskFull
    /// One node is away until the others have released what it lacks from their logs.
    case leftBehind

    enum Victims: String, CaseIterable, Sendable {
        case one
        case minority
        case all
    }

    /// With namespaces and disks of our own.
    static let everything: [Fault] =
        processes + CutShape.allCases.map { .cut($0) } + [.unseenDeath, .deathInTwoParts, .diskFull, .leftBehind]

    /// What takes nothing but signals.
    static let processes: [Fault] = Victims.allCases.flatMap { [.kill($0), .stop($0)] } + [.restartLoop]
}

/// One fault from its beginning to the end of the calm after it.
struct Episode: Sendable, Equatable {
    var fault: Fault
    /// The leader is the first victim, when there is one.
    var prefersLeader: Bool
    /// The nodes in the order in which they become victims.
    var order: [Int]
    var lasts: Duration
    /// Without any fault afterwards.
    var calm: Duration
    /// For what else has to be drawn by lot.
    var luck: UInt64
}

/// All faults of a run, from its seed. A pure value.
///
/// Faults are dealt like cards: each kind once before any comes again, so that short runs meet them all.
struct FaultSchedule: Sendable {
    /// After so long a calm a post must succeed, so a long calm is longer.
    static let longCalm: Duration = .milliseconds(12_500)
    private static let episodesBetweenLongCalms = 9
    /// No fault that takes many seconds may come more often.
    private static let longFaults: [Fault: Int] = [.diskFull: 60, .leftBehind: 40]

    private let faults: [Fault]
    private let nodes: Int
    private var random: SplitMix64
    private var deck: [Fault] = []
    private(set) var dealt = 0
    private var lastLong: [Fault: Int] = [:]

    init(seed: UInt64, nodes: Int, faults: [Fault]) {
        precondition(!faults.isEmpty && nodes >= 3)
        self.faults = faults
        self.nodes = nodes
        random = SplitMix64(seed: seed)
    }

    mutating func next() -> Episode {
        let fault = deal()
        dealt += 1
        let isLong = dealt.isMultiple(of: Self.episodesBetweenLongCalms)
        return Episode(
            fault: fault, prefersLeader: random.below(2) == 0, order: shuffled(Array(1...nodes)),
            lasts: .milliseconds(800 + Int64(random.below(random.below(4) == 0 ? 6000 : 2400))),
            calm: isLong ? Self.longCalm : .milliseconds(300 + Int64(random.below(2200))), luck: random.next())
    }

    private mutating func deal() -> Fault {
        while true {
            if deck.isEmpty { deck = shuffled(faults) }
            let fault = deck.removeLast()
            if let pause = Self.longFaults[fault] {
                if let last = lastLong[fault], dealt - last < pause { continue }
                lastLong[fault] = dealt
            }
            return fault
        }
    }

    private mutating func shuffled<Item>(_ items: [Item]) -> [Item] {
        var items = items
        for place in items.indices.dropFirst() {
            items.swapAt(place, Int(random.below(UInt64(place + 1))))
        }
        return items
    }
}
