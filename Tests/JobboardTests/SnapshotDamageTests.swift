import NodeEngine
import Testing

@testable import Jobboard

/// Snapshots come from disks and peers: whatever the bytes are, the answer is a state in order or an error.
@Suite struct SnapshotDamageTests {
    private static func sample(_ seed: UInt64, blocks: Int) throws -> [UInt8] {
        var maker = BlockMaker(seed: seed)
        var desk = SnapshotDesk(rememberedEvents: 10)
        for _ in 0..<blocks { maker.took(desk.apply(try maker.block(for: desk.state.machine), at: maker.time).outcomes) }
        return desk.bytes
    }

    @Test func `every truncation is refused, and every byte too many`() throws {
        let bytes = try Self.sample(51, blocks: 20)
        for length in 0..<bytes.count {
            #expect(throws: SnapshotError.self) { try SnapshotDesk.read(Array(bytes.prefix(length))) }
        }
        #expect(throws: SnapshotError.self) { try SnapshotDesk.read(bytes + [0]) }
        var decoder = SnapshotDecoder(limits: RandomCommandTests.limits, rememberedEvents: 10)
        try decoder.take(bytes)
        #expect(throws: SnapshotError.self) { try decoder.take([0]) }
    }

    /// The hash at the end covers all but the events, so what is accepted differs in an event alone and is in order.
    @Test func `every changed byte is refused, or leaves a state in order`() throws {
        let bytes = try Self.sample(52, blocks: 20)
        let fingerprint = try SnapshotDesk.read(bytes).machine.fingerprint()
        var refused = 0
        for place in bytes.indices {
            for change in [1, 0x80, 0xff] as [UInt8] {
                var broken = bytes
                broken[place] ^= change
                do {
                    let state = try SnapshotDesk.read(broken)
                    #expect(state.machine.fingerprint() == fingerprint, "byte \(place)")
                    state.machine.checkInvariants()
                } catch is SnapshotError {
                    refused += 1
                }
            }
        }
        #expect(refused > 2 * bytes.count)
    }

    @Test(arguments: [53, 54] as [UInt64])
    func `many changed bytes never stop the program`(seed: UInt64) throws {
        let bytes = try Self.sample(seed, blocks: 60)
        var dice = SplitMix64(state: seed)
        for _ in 0..<1500 {
            var broken = bytes
            // Few of them, so that some lie deep inside; small numbers are tags, flags and lengths that lead somewhere.
            for _ in 0...dice.below(2) {
                broken[dice.below(broken.count)] = dice.chance(50) ? UInt8(dice.below(8)) : UInt8(dice.below(256))
            }
            if let state = try? SnapshotDesk.read(broken) { state.machine.checkInvariants() }
        }
    }

    @Test func `another version is named`() throws {
        var bytes = try Self.sample(55, blocks: 1)
        bytes[4] = 2
        #expect(throws: SnapshotError("the snapshot has format 2, not 1")) { try SnapshotDesk.read(bytes) }
        #expect(throws: SnapshotError("this is no snapshot")) { try SnapshotDesk.read([7] + bytes) }
    }

    @Test func `a decoder that refused goes on refusing`() throws {
        let bytes = try Self.sample(56, blocks: 5)
        var decoder = SnapshotDecoder(limits: RandomCommandTests.limits, rememberedEvents: 10)
        #expect(throws: SnapshotError.self) { try decoder.take([UInt8](repeating: 1, count: 8)) }
        #expect(throws: SnapshotError.self) { try decoder.take(bytes) }
        #expect(throws: SnapshotError.self) { _ = try decoder.finish() }
    }

    /// A machine of two claimed jobs and a waiting one, taken apart and put together with one part changed.
    @Test func `parts that no machine comes apart into are refused`() throws {
        var desk = Desk()
        desk.post(newJob(1) { $0.key = "k1" }, newJob(2) { $0.key = "k2" }, newJob(3) { $0.delayMilliseconds = 50 })
        _ = desk.next(2)
        func rebuild(_ change: (inout [SavedJob]) -> Void) throws -> UInt64 {
            var saver = BoardSaver(desk.machine)
            var restorer = try BoardRestorer(limits: BoardLimits(), counters: saver.counters)
            while let board = saver.nextBoard() { try restorer.add(board) }
            var jobs: [SavedJob] = []
            while let job = saver.nextJob() { jobs.append(job) }
            change(&jobs)
            for job in jobs { try restorer.add(job) }
            while let (session, outcomes) = saver.nextSession() {
                try restorer.add(session)
                for _ in 0..<outcomes { if let outcome = saver.nextOutcome() { try restorer.add(outcome) } }
            }
            return try restorer.finish().fingerprint()
        }
        #expect(try rebuild { _ in } == desk.machine.fingerprint())
        let changes: [(inout [SavedJob]) -> Void] = [
            { $0[1].job.fence = $0[0].job.fence }, { $0[1].job.fence = 99 }, { $0[1].job.fence = nil },
            { $0[0].job.leaseUntil = nil }, { $0[0].job.owner = nil }, { $0[0].job.state = .unclaimed },
            { $0[0].job.state = .complete }, { $0[0].job.state = .trashed }, { $0[0].isReady = true },
            { $0[1].job.changeRare { $0.key = "k1" } }, { $0[2].job.changeRare { $0.notBefore = nil } },
            { $0[0].expiryArmed = true }, { $0[0].board = 1 }, { $0.swapAt(0, 1) }, { $0.append($0[2]) },
            { $0[2].job.lastModified = Timestamp(milliseconds: .max) }, { $0[0].job.leaseUntil = Timestamp(milliseconds: .max) },
            { $0[0].job.owner = String(repeating: "w", count: 256) }, { $0[2].job.state = .claimed },
        ]
        for (number, change) in changes.enumerated() {
            #expect(throws: BrokenInvariant.self, "change \(number)") { _ = try rebuild(change) }
        }
    }
}
