import Consensus
import EventLog
import Testing

/// Every state that a loss of power can leave, at every call on the disk, inside bounds (as ALICE does; Pillai et al.,
/// "All File Systems Are Not Created Equal").
@Suite struct CrashStateTests {
    /// Two batches fit in a segment behind its start.
    private static let options = EventLogOptions(segmentBytes: 12 << 10, maxSpares: 1)
    private static let statesPerCall = 300

    /// A short life in which everything happens that writes: votes, a truncation, rolls, marks, rot and its repair, a release.
    private struct Life {
        let disk = SimulatedDisk()
        var model = LogModel()
        /// What may be found after a crash: the model, and while an append is under way the steps on its way.
        var possible = [LogModel()]
        /// Everything that was ever written, as others may have it.
        var all: [Entry] = []
        private var log: EventLog?

        mutating func run(powerLossAt call: Int?) throws -> Bool {
            disk.callsUntilPowerLoss = call
            do {
                try live()
            } catch let error as EventLogError {
                guard call != nil, error.code == .disk else { throw error }
            }
            return disk.callsUntilPowerLoss == 0
        }

        private mutating func live() throws {
            log = try EventLog.open(on: disk, identity: me, options: options).0
            let first = chain(3)
            try append(write(first, state: HardState(term: 1, vote: NodeID(1)), commit: 1))
            let second = chain(after: first[1].summary, 2, term: 2, bytes: 700)
            try append(write(second, state: HardState(term: 2, vote: nil), from: 3, commit: 2))
            try append(write(state: HardState(term: 3, vote: NodeID(2))))
            try append(write(chain(after: second[1].summary, 1, term: 3)))
            try log?.markDurable()
            // Entries 1 and 2 rot at rest; both are known to be durable.
            disk.flipBit(0, ofByte: 4096 + 80 + 56 + 30, in: "segment-00000001")
            log = try EventLog.open(on: disk, identity: me, options: options).0
            if let log { try heal(log, from: all) }
            try append(write(chain(after: model.last, 1, term: 3), commit: 4))
            model.released = 3
            possible = [model]
            try log?.release(through: 3)
            try append(write(chain(after: model.last, 2, term: 3), state: HardState(term: 4, vote: NodeID(3))))
        }

        private mutating func append(_ write: LogWrite) throws {
            all += write.entries
            possible = [model] + model.steps(write)
            try log?.append([write])
            model = possible[possible.count - 1]
            possible = [model]
        }
    }

    @Test func everyStateThatAPowerLossCanLeaveKeepsWhatWasAcknowledged() throws {
        var (call, states, whole) = (1, 0, 0)
        var luck = Luck(5)
        while call < 1000 {
            var life = Life()
            guard try life.run(powerLossAt: call) else { break }
            let visited = try visit(life, &luck, "call \(call)")
            states += visited.states
            if visited.isExhaustive { whole += 1 }
            call += 1
        }
        print("crash states: \(states) visited after \(call - 1) calls, exhaustively after \(whole) of them")
        #expect(call > 80 && states > 2000 && whole * 2 > call)
    }

    private func visit(_ life: Life, _ luck: inout Luck, _ what: String) throws -> (states: Int, isExhaustive: Bool) {
        var choices: [[Fate]] = []
        life.disk.copy().crash { unsynced in
            choices.append(Self.fates(unsynced, &luck))
            return .old
        }
        var states = CrashStates(choices)
        var count = 0
        while count < Self.statesPerCall, let fates = states.next(&luck, bound: Self.statesPerCall) {
            let disk = life.disk.copy()
            var rest = fates[...]
            // What has not grown has fewer sectors to decide on.
            disk.crash { unsynced in
                let fate = rest.popFirst() ?? .old
                if case .garbage(let bytes) = fate, case .sector(let old, _) = unsynced {
                    return .garbage(Array(bytes.prefix(old.count)))
                }
                return fate
            }
            try check(life, disk, "\(what), state \(count)")
            count += 1
        }
        return (count, states.isExhaustive(bound: Self.statesPerCall))
    }

    /// What may become of it; what would make no difference is left out.
    private static func fates(_ unsynced: Unsynced, _ luck: inout Luck) -> [Fate] {
        guard case .sector(let old, let new) = unsynced else { return [.old, .new] }
        let garbage = Fate.garbage(luck.bytes(512))
        return old == new ? [.old, garbage] : [.old, .new, garbage]
    }

    private func check(_ life: Life, _ disk: SimulatedDisk, _ what: String) throws {
        let (log, recovery) = try EventLog.open(on: disk, identity: me, options: Self.options)
        try #require(!recovery.isEndLost && !recovery.isHardStateLost, "\(what)")
        try heal(log, from: life.all)
        let (again, healed) = try EventLog.open(on: disk, identity: me, options: Self.options)
        try #require(healed.damage == nil, "\(what)")
        try #require(life.possible.contains { $0.matches(healed) }, "\(what): \(healed.entries.count) entries")
        let last = healed.entries.last ?? healed.base
        let more = entry(after: last, term: max(5, last.term), payload: [1])
        try again.append([write([more], state: HardState(term: 9, vote: NodeID(1)))])
        let final = try EventLog.open(on: disk, identity: me, options: Self.options).1
        try #require(final.entries == healed.entries + [more.summary] && final.hardState.term == 9, "\(what)")
    }
}

/// All ways to choose one of each list, or when there are too many, some of them by chance.
private struct CrashStates {
    private let choices: [[Fate]]
    private var digits: [Int]
    private var isDone = false

    init(_ choices: [[Fate]]) {
        self.choices = choices
        digits = choices.map { _ in 0 }
    }

    func isExhaustive(bound: Int) -> Bool {
        var count = 1
        for choice in choices {
            count *= choice.count
            if count > bound { return false }
        }
        return true
    }

    mutating func next(_ luck: inout Luck, bound: Int) -> [Fate]? {
        guard !isDone else { return nil }
        guard isExhaustive(bound: bound) else {
            // All old, or all new, or one of them alone, are the likeliest to matter.
            switch luck.below(4) {
            case 0:
                let odd = luck.below(choices.count)
                return choices.enumerated().map { $0 == odd ? $1[luck.below($1.count)] : $1[min(1, $1.count - 1)] }
            case 1:
                let odd = luck.below(choices.count)
                return choices.enumerated().map { $0 == odd ? $1[luck.below($1.count)] : $1[0] }
            default: return choices.map { $0[luck.below($0.count)] }
            }
        }
        let chosen = zip(choices, digits).map { $0[$1] }
        var place = 0
        while place < digits.count {
            digits[place] += 1
            if digits[place] < choices[place].count { break }
            digits[place] = 0
            place += 1
        }
        isDone = place == digits.count
        return chosen
    }
}
