import Consensus
import Testing

@testable import Simulation

@Suite struct ExhaustiveSearchTests {
    static func bounds(_ change: (inout SearchBounds) -> Void) -> SearchBounds {
        var bounds = SearchBounds()
        (bounds.proposals, bounds.crashes, bounds.timeouts, bounds.messages) = (0, 0, 1, 3)
        change(&bounds)
        return bounds
    }

    @Test(arguments: [
        ("an election", bounds { ($0.terms, $0.messages) = (1, 2) }, 1),
        ("a crash at any point of a write", bounds { ($0.start, $0.proposals, $0.crashes, $0.timeouts) = (.led, 1, 1, 0) }, 2),
        ("a leader crashes", bounds { ($0.start, $0.proposals, $0.crashes, $0.messages) = (.led, 1, 1, 1) }, 3),
        ("a read while a leader is deposed", bounds { ($0.start, $0.reads, $0.timeouts, $0.messages) = (.led, 1, 2, 1) }, 2),
    ])
    func everyWorldInSmallBoundsIsGood(what: String, bounds: SearchBounds, committed: Int) throws {
        var search = ExhaustiveSearch(bounds)
        let report = try search.run()
        #expect(report.isExhausted && report.led > 0 && report.longestCommitted >= committed, "\(report)")
        #expect(
            (report.lossyCrashes > 0) == (bounds.crashes > 0) && (report.confirmedReads > 0) == (bounds.reads > 0), "\(report)")
    }

    /// Who has lost its vote and the end of its log goes on from what all others say, and votes in much later terms.
    @Test func whoHasLostSomethingBreaksNothing() throws {
        var search = ExhaustiveSearch(Self.loss)
        let report = try search.run()
        #expect(report.isExhausted && report.returns > 0 && report.led > 0 && report.longestCommitted == 2, "\(report)")
    }

    private static let loss = bounds { ($0.start, $0.losses, $0.terms, $0.timeouts, $0.messages) = (.led, 1, 6, 2, 1) }

    @Test func theWordOfOneIsNotEnough() throws {
        // Without a leap fewer elections are enough to show it; so few break nothing where all are heard.
        var weakened = Self.loss
        (weakened.leapsNot, weakened.proposals, weakened.timeouts) = (true, 1, 1)
        var strict = ExhaustiveSearch(weakened)
        #expect(try strict.run().isExhausted)
        weakened.learnsFromOne = true
        var search = ExhaustiveSearch(weakened)
        let failure = try #require(throws: SearchFailure.self) { try search.run() }
        #expect(failure.path.contains { $0.contains("stands aside") }, "\(failure)")
    }

    /// What it asked for in its earlier life may be answered in the next.
    @Test func whoHasLostItsVoteMustLeap() throws {
        var weakened = Self.loss
        (weakened.leapsNot, weakened.start) = (true, .empty)
        var search = ExhaustiveSearch(weakened)
        let failure = try #require(throws: SearchFailure.self) { try search.run() }
        #expect(failure.path.contains { $0.contains("stands aside") }, "\(failure)")
    }

    /// One payload, sent twice: what its client was told that it has no effect is never committed.
    @Test func `a late copy of what was refused is never carried out`() throws {
        var search = ExhaustiveSearch(try #require(SearchBounds.named["late-copies"]))
        let report = try search.run()
        #expect(report.isExhausted && report.refused > 0 && report.twiceLed > 0 && report.longestCommitted >= 3, "\(report)")
    }

    @Test(arguments: ["takesAnyTerm", "remembersNothing", "answersTooSoon", "turnsBack"])
    func `each rule about late copies is needed`(rule: String) throws {
        let weakness: WritableKeyPath<SearchBounds, Bool> =
            switch rule {
            case "takesAnyTerm": \.takesAnyTerm
            case "remembersNothing": \.remembersNothing
            case "answersTooSoon": \.answersTooSoon
            default: \.turnsBack
            }
        var bounds = try #require(SearchBounds.named["late-copies"])
        bounds[keyPath: weakness] = true
        // A copy that a follower gets is taken when that leads.
        bounds.asksFollowers = rule == "takesAnyTerm"
        var search = ExhaustiveSearch(bounds)
        let failure = try #require(throws: SearchFailure.self) { try search.run() }
        #expect(failure.violation.contains("told that it has no effect"), "\(failure)")
    }

    /// Raft paper, section 5.4.2. That the search finds the mistake which figure 8 is about is for `Scripts/mutants` to show.
    @Test func aroundFigure8EveryWorldIsGood() throws {
        var bounds = try #require(SearchBounds.named["figure-8"])
        bounds.timeouts = 1
        var search = ExhaustiveSearch(bounds)
        let report = try search.run()
        #expect(report.isExhausted && report.led == report.states && report.longestCommitted == 2, "\(report)")
        let start = try SearchWorld.start(bounds)
        #expect(start.replicas.map { $0.log.term(at: 1) } == [1, 2, nil] && start.replicas[0].term == 3)
        #expect(start.flights.count == 1 && start.record.committed.isEmpty)
    }

    @Test func aSearchIsTheSameEveryTime() throws {
        let bounds = Self.bounds { ($0.depth, $0.timeouts, $0.crashes) = (6, 2, 1) }
        var (first, second) = (ExhaustiveSearch(bounds), ExhaustiveSearch(bounds))
        let report = try first.run()
        #expect(try report == second.run() && !report.isExhausted && report.depth == 6)
    }

    @Test func aPromiseThatTheDiskDoesNotBackIsFoundOnTheShortestPath() throws {
        var search = ExhaustiveSearch(Self.bounds { $0.diskLies = true })
        let failure = try #require(throws: SearchFailure.self) { try search.run() }
        #expect(failure.violation.contains("is not on its disk"))
        #expect(failure.path.count == 6 && failure.path[0] == "node 1 runs out of patience", "\(failure)")
    }

    @Test func aDiskThatLiesMakesANodeVoteTwice() throws {
        let weakened = Self.bounds {
            ($0.diskLies, $0.checksPromises, $0.crashes, $0.timeouts, $0.terms, $0.messages) = (true, false, 1, 2, 1, 1)
        }
        var search = ExhaustiveSearch(weakened)
        let failure = try #require(throws: SearchFailure.self) { try search.run() }
        #expect(failure.violation.contains("voted for") && failure.path.contains { $0.contains("crashes") }, "\(failure)")
    }

    @Test func aDiskThatLiesLosesWhatWasCommitted() throws {
        let weakened = Self.bounds {
            ($0.start, $0.diskLies, $0.checksPromises) = (.led, true, false)
            ($0.proposals, $0.crashes, $0.messages) = (1, 1, 1)
        }
        var search = ExhaustiveSearch(weakened)
        let failure = try #require(throws: SearchFailure.self) { try search.run() }
        #expect(failure.path.contains { $0.contains("crashes") }, "\(failure)")
    }

    @Test func worldsThatDifferByNamesAloneAreOne() throws {
        let fresh = SearchWorld(bounds: Self.bounds { $0.terms = 2 })
        var prints: Set<CanonicalHash> = []
        for node in 0..<3 as Range<UInt8> {
            var world = fresh
            try world.take(.timeOut(node))
            // To the next node round the table.
            let place = try #require(world.flights.firstIndex { $0.to == (Int(node) + 1) % 3 })
            try world.take(.deliver(UInt8(place)))
            prints.insert(world.fingerprint())
        }
        #expect(prints.count == 1)
        var other = fresh
        try other.take(.timeOut(0))
        #expect(!prints.contains(other.fingerprint()))
    }

    /// A hash that left out something that matters would hide worlds: then two worlds held to be one had other futures.
    @Test(arguments: [
        bounds { ($0.start, $0.reads, $0.beats, $0.cuts, $0.proposals) = (.led, 1, 1, 1, 1) },
        bounds { ($0.crashes, $0.timeouts, $0.repeats) = (1, 2, 1) },
    ])
    func worldsThatAreHeldToBeOneHaveTheSameFuture(bounds: SearchBounds) throws {
        func future(_ world: SearchWorld) throws -> Set<CanonicalHash> {
            Set(
                try world.moves().map { move in
                    var next = world
                    try next.take(move)
                    return next.fingerprint()
                })
        }
        var random = SplitMix64(seed: 5)
        var seen: [CanonicalHash: Set<CanonicalHash>] = [:]
        var compared = 0
        for _ in 0..<60 {
            var world = try SearchWorld.start(bounds)
            for _ in 0..<12 {
                let moves = world.moves()
                guard !moves.isEmpty else { break }
                try world.take(moves[Int(random.below(UInt64(moves.count)))])
                let print = world.fingerprint()
                let next = try future(world)
                if let known = seen[print] {
                    compared += 1
                    try #require(known == next)
                }
                seen[print] = next
            }
        }
        #expect(compared > 50, "too few worlds were met twice: \(compared)")
    }
}

/// The checks themselves, on worlds made bad by hand.
@Suite struct ExhaustiveSearchInvariantTests {
    static func entry(term: Term, index: LogIndex, parent: Digest = .zero, digest: UInt64) -> Entry {
        Entry(
            kind: .commands, term: term, index: index, time: 0, firstCommand: index - 1, commandCount: 1, parent: parent,
            digest: Digest(high: 1, low: digest), block: [0])
    }

    static func log(_ entries: [Entry]) -> ReplicaLog {
        ReplicaLog(summaries: entries.map(\.summary), tail: entries)
    }

    static let disk: SearchDisk = {
        var disk = SearchDisk()
        disk.order(
            LogWrite(number: 1, hardState: nil, truncateFrom: nil, entries: [entry(term: 1, index: 1, digest: 7)], commit: 0))
        _ = disk.complete(1, lying: false)
        return disk
    }()

    @Test func twoLeadersOrTwoVotesInATermAreSeen() throws {
        var record = SearchRecord()
        try record.lead(0, term: 2)
        try record.lead(0, term: 2)
        #expect(throws: Violation.self) { try record.lead(1, term: 2) }
        // Who leads voted for itself.
        #expect(throws: Violation.self) { try record.vote(of: 0, for: 2, term: 2) }
        try record.vote(of: 1, for: 2, term: 3)
        #expect(throws: Violation.self) { try record.vote(of: 1, for: 0, term: 3) }
    }

    @Test func logsThatDifferAtOneIndexAndTermAreSeen() throws {
        let log = Self.log([Self.entry(term: 1, index: 1, digest: 7)])
        try SearchWorld.checkMatching(log, log, 0, 1)
        try SearchWorld.checkMatching(log, Self.log([Self.entry(term: 2, index: 1, digest: 8)]), 0, 1)
        let other = Self.log([Self.entry(term: 1, index: 1, digest: 8)])
        #expect(throws: Violation.self) { try SearchWorld.checkMatching(log, other, 0, 1) }
    }

    @Test func aCommitWithoutAMajorityOrWithOtherContentIsSeen() throws {
        var record = SearchRecord()
        let log = Self.log([Self.entry(term: 1, index: 1, digest: 7)])
        #expect(throws: Violation.self) {
            try record.commit(log, through: 1, term: 1, node: 0, disks: [Self.disk, SearchDisk(), SearchDisk()])
        }
        try record.commit(log, through: 1, term: 1, node: 0, disks: [Self.disk, SearchDisk(), Self.disk])
        let other = Self.log([Self.entry(term: 2, index: 1, digest: 8)])
        #expect(throws: Violation.self) { try record.commit(other, through: 1, term: 2, node: 1, disks: nil) }
    }

    @Test func aReadThatMissesWhatWasCommittedOrIsAnsweredTwiceIsSeen() throws {
        var record = SearchRecord()
        let log = Self.log([Self.entry(term: 1, index: 1, digest: 7)])
        let early = record.ask(at: 0)
        try record.commit(log, through: 1, term: 1, node: 0, disks: nil)
        let late = record.ask(at: 1)
        try record.confirm(early, at: 0)
        #expect(throws: Violation.self) { try record.confirm(early, at: 1) }
        #expect(throws: Violation.self) { try record.confirm(late, at: 0) }
    }

    @Test func aLeaderWithoutACommittedEntryIsSeen() throws {
        var bounds = SearchBounds()
        bounds.start = .led
        var world = try SearchWorld.start(bounds)
        try world.check()
        world.record = SearchRecord()
        let other = Self.log([Self.entry(term: 1, index: 1, digest: 8)])
        try world.record.commit(other, through: 1, term: 2, node: 1, disks: nil)
        try world.check()  // Committed in a later term than the leader's: an old leader need not have it.
        world.record = SearchRecord()
        try world.record.commit(other, through: 1, term: 1, node: 1, disks: nil)
        #expect(throws: Violation.self) { try world.check() }
    }

    @Test func aPromiseWithoutADiskBehindItIsSeen() throws {
        var bounds = SearchBounds()
        bounds.start = .led
        var world = try SearchWorld.start(bounds)
        let promises: [Message] = [
            .appendReply(AppendReply(term: 1, result: .durable(1))),
            .heartbeatReply(HeartbeatReply(term: 1, round: 1, durable: 1, wall: 0)),
        ]
        for promise in promises { try world.checkPromise(SearchWorld.Flight(from: 1, to: 0, message: promise)) }
        let vote = SearchWorld.Flight(from: 1, to: 2, message: .voteReply(VoteReply(term: 1, granted: true, wall: 0)))
        #expect(throws: Violation.self) { try world.checkPromise(vote) }
        world.disks[1] = SearchDisk()
        for promise in promises {
            #expect(throws: Violation.self) { try world.checkPromise(SearchWorld.Flight(from: 1, to: 0, message: promise)) }
        }
    }
}
