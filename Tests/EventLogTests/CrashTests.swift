import Consensus
import EventLog
import Testing

/// A node's life: appends, truncations and releases by chance, power losses, and a model beside it.
private struct Life {
    let disk = SimulatedDisk()
    var luck: Luck
    var model = LogModel()
    /// By index, the entry that was said to be committed.
    var committed: [Entry] = []
    var term: Term = 1

    init(seed: UInt64) { luck = Luck(seed) }

    /// Opens, does `count` appends, and opens again after the power was lost at the given call, if it was reached.
    /// False when it was not.
    mutating func run(_ count: Int, powerLossAt call: Int?) throws -> Bool {
        disk.callsUntilPowerLoss = call
        var possible = [model]
        do {
            let (log, recovery) = try open(disk)
            try #require(model.matches(recovery))
            for _ in 0..<count {
                let writes = makeWrites()
                var states = [model]
                for write in writes { states += states[states.count - 1].steps(write) }
                possible = states
                try log.append(writes)
                model = states[states.count - 1]
                possible = [model]
                if luck.below(6) == 0, !committed.isEmpty {
                    model.released = max(model.released, UInt64(luck.below(committed.count + 1)))
                    possible = [model]
                    try log.release(through: model.released)
                }
                if luck.below(8) == 0 { try log.markDurable() }
            }
        } catch let error as EventLogError {
            guard call != nil, error.code == .disk || error.code == .noSpace else { throw error }
        }
        let lost = disk.callsUntilPowerLoss == 0
        disk.crash(using: &luck)
        try recover(possible)
        return lost
    }

    /// Whatever the crash left must be one of the states, and every entry must be readable.
    private mutating func recover(_ possible: [LogModel]) throws {
        let (log, recovery) = try open(disk)
        let found = possible.first { $0.matches(recovery) }
        model = try #require(
            found, "\(recovery.entries.count) entries are none of the \(possible.count) states that could be left")
        let base = Int(recovery.base.index)
        let entries = try log.read(from: recovery.base.index + 1, through: .max, maxBytes: .max)
        try #require(entries.map(\.block) == model.entries[base...].map(\.block))
        try #require(recovery.commit <= model.last.index)
        for index in 0..<Int(recovery.commit) { try #require(model.entries[index] == committed[index]) }
        // This cluster has one node: what was said to be committed and was then lost unacknowledged never was.
        let kept = zip(committed, model.entries).prefix { $0 == $1 }.count
        committed.removeLast(committed.count - kept)
    }

    private mutating func makeWrites() -> [LogWrite] {
        var next = model
        return (0..<1 + luck.below(3)).map { _ in
            var write = LogWrite(number: 1, hardState: nil, truncateFrom: nil, entries: [], commit: UInt64(committed.count))
            if luck.below(3) == 0 {
                term += 1
                write.hardState = HardState(term: term, vote: luck.below(2) == 0 ? nil : NodeID(luck.next() % 5))
            }
            let uncommitted = next.entries.count - committed.count
            if luck.below(4) == 0, uncommitted > 0 {
                write.truncateFrom = UInt64(committed.count + 1 + luck.below(uncommitted))
            }
            var last = write.truncateFrom.map { $0 == 1 ? .beforeFirst : next.entries[Int($0) - 2].summary } ?? next.last
            for _ in 0..<luck.below(4) {
                let payload = luck.below(4) == 0 ? luck.bytes(luck.below(6000)) : luck.text(luck.below(200))
                write.entries.append(entry(after: last, term: max(term, last.term), payload: payload))
                last = write.entries.last!.summary
            }
            next = next.steps(write).last ?? next
            let commit = committed.count + luck.below(next.entries.count - committed.count + 1)
            committed += next.entries[committed.count..<commit]
            write.commit = UInt64(commit)
            return write
        }
    }
}

@Suite struct CrashTests {
    @Test(arguments: 0..<6 as Range<UInt64>) func powerLossAtEveryCallLosesNothingAcknowledged(seed: UInt64) throws {
        var call = 1
        while true {
            var life = Life(seed: seed)
            guard try life.run(12, powerLossAt: call) else { break }
            // Life goes on: what is written next must not meet what was cut off.
            _ = try life.run(3, powerLossAt: nil)
            call += 1
        }
        #expect(call > 60)
    }

    @Test(arguments: 100..<140 as Range<UInt64>) func aLongLifeOfCrashesLosesNothingAcknowledged(seed: UInt64) throws {
        var life = Life(seed: seed)
        for _ in 0..<40 {
            let call = 1 + life.luck.below(60)
            _ = try life.run(8, powerLossAt: life.luck.below(5) == 0 ? nil : call)
        }
        #expect(life.model.entries.count > 20)
    }

    @Test func powerLossAtEveryCallOfTheCreationLeavesAFolderThatOpens() throws {
        for seed: UInt64 in 0..<20 {
            var luck = Luck(seed)
            var call = 1
            var powerLost = true
            while powerLost {
                let disk = SimulatedDisk()
                disk.callsUntilPowerLoss = call
                _ = try? open(disk)
                powerLost = disk.callsUntilPowerLoss == 0
                disk.crash(using: &luck)
                let (log, recovery) = try open(disk)
                #expect(recovery.entries.isEmpty && recovery.hardState.term == 0)
                let entries = chain(3)
                try log.append([write(entries)])
                disk.crash(using: &luck)
                #expect(try open(disk).1.entries == entries.map(\.summary))
                call += 1
            }
            #expect(call > 15)
        }
    }

    @Test func aSyncThatFailedIsNotBelievedAfterwards() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk)
        let entries = chain(2)
        try log.append([write([entries[0]])])
        disk.failNext(.sync)
        #expect(code { try log.append([write([entries[1]])]) } == .disk)
        disk.kill()
        #expect(try open(disk).1.entries == [entries[0].summary], "the page cache showed what the disk had lost")
    }

    @Test func theSameLuckGivesTheSameDisk() throws {
        func run() throws -> [[UInt8]?] {
            var life = Life(seed: 77)
            for call in [30, 50, 20] { _ = try life.run(8, powerLossAt: call) }
            return try life.disk.list().map(life.disk.contents)
        }
        #expect(try run() == run())
    }
}
