import EventLog
import Simulation
import Testing

@Suite struct DiskFaultTests {
    /// Everything that a disk can do to a node, often, and nothing else.
    private static func plan(_ change: (inout FaultPlan) -> Void) -> FaultPlan {
        var plan = FaultPlan()
        change(&plan)
        return plan
    }

    private struct Failure: Error {
        var seed: UInt64
        var error: any Error
    }

    private static func run(_ plan: FaultPlan, nodes: Int, seeds: some Sequence<UInt64>) throws -> Sights {
        var sights = Sights()
        for seed in seeds {
            var cluster = SimulatedCluster(seed: seed, nodes: nodes, plan: plan)
            do {
                sights.add(try cluster.run(milliseconds: 5000).sights)
            } catch {
                throw Failure(seed: seed, error: error)
            }
        }
        return sights
    }

    @Test(arguments: [1, 3]) func aNodeWhoseDiskFailsComesBackWithAllItPromised(nodes: Int) throws {
        let sights = try Self.run(Self.plan { $0.diskErrorEvery = 150 }, nodes: nodes, seeds: 1...8)
        for sight in [Sight.writeErrors, .syncErrors, .folderErrors] { #expect(sights[sight] > 0, "\(sight.rawValue)") }
        // Each failure of the log's own ends a process; one that hits a snapshot does not.
        #expect(sights[.starts] > UInt64(8 * nodes))
    }

    @Test(arguments: [1, 3]) func aNodeWhoseDiskIsFullRefusesPostsAndGoesOnWhenThereIsRoom(nodes: Int) throws {
        let sights = try Self.run(Self.plan { $0.fullDiskEvery = 300 }, nodes: nodes, seeds: 1...20)
        for sight in [Sight.fullDisks, .readOnlyRefusals] { #expect(sights[sight] > 0, "\(sight.rawValue)") }
        // One that is alone refuses before a write has to wait.
        if nodes > 1 { #expect(sights[.fullDiskWaits] > 0 && sights[.handOvers] > 0) }
        #expect(sights[.starts] == UInt64(20 * nodes), "nobody ends for want of room")
    }

    @Test(arguments: [1, 3]) func `a node that is short of descriptors waits for them and ends for nothing`(nodes: Int) throws {
        let plan = Self.plan {
            $0.scarcityEvery = 150
            $0.fullDiskEvery = 100_000
        }
        let sights = try Self.run(plan, nodes: nodes, seeds: 1...20)
        for sight in [Sight.scarcities, .scarcityWaits] { #expect(sights[sight] > 0, "\(sight.rawValue)") }
        #expect(sights[.starts] == UInt64(20 * nodes), "nobody ends for want of descriptors")
    }

    @Test(arguments: [1, 3]) func `a node that starts while descriptors are short starts when they are not`(nodes: Int) throws {
        let plan = Self.plan {
            $0.scarcityEvery = 200
            $0.killEvery = 300
        }
        let sights = try Self.run(plan, nodes: nodes, seeds: 1...20)
        // That none of them asks for what it has is checked at each start.
        #expect(sights[.scarceStarts] > 0)
    }

    private static func rotting(every milliseconds: UInt64) -> FaultPlan {
        plan {
            $0.rotEvery = milliseconds
            $0.killEvery = 500
        }
    }

    @Test func aLoneNodeWhoseLogRottedRefusesUntilItHasItsBytesBack() throws {
        let sights = try Self.run(Self.rotting(every: 100), nodes: 1, seeds: 1...8)
        for sight in [Sight.rottenBits, .rottenRanges, .rotRefused, .backupsRestored] {
            #expect(sights[sight] > 0, "\(sight.rawValue)")
        }
    }

    @Test func aNodeWhoseLogRottedIsRepairedByItsPeers() throws {
        let sights = try Self.run(Self.rotting(every: 1500), nodes: 3, seeds: 1...60)
        for sight in [Sight.repairs, .blocksRepaired] { #expect(sights[sight] > 0, "\(sight.rawValue)") }
    }

    /// Of 2 nodes, seeds 6 and 21 have a range rot that takes a block's whole header, and seed 39 ranges that adjoin.
    @Test(arguments: [2, 3, 5]) func `a block that is corrupt on every node is put together from all copies`(nodes: Int) throws {
        let plan = Self.plan {
            $0.sharedRotEvery = 1000
            $0.killEvery = 700
            $0.blackoutEvery = 2000
        }
        let sights = try Self.run(plan, nodes: nodes, seeds: nodes == 2 ? Array(1...10) + [21, 39] : Array(1...10))
        for sight in [Sight.sharedRot, .blocksCombined, .repairs, .rotScrubbed] {
            #expect(sights[sight] > 0, "\(sight.rawValue)")
        }
    }

    @Test func aNodeWithAnEmptiedFolderLearnsFromAllOthersWhatItHeld() throws {
        let plan = Self.plan {
            $0.emptyingEvery = 700
            $0.killEvery = 1000
            $0.cutEvery = 1000
        }
        let sights = try Self.run(plan, nodes: 3, seeds: 1...12)
        for sight in [Sight.emptiedFolders, .endsLearned, .repairs] { #expect(sights[sight] > 0, "\(sight.rawValue)") }
    }

    @Test func rottenSnapshotsAreFoundAndMended() throws {
        let sights = try Self.run(Self.plan { $0.rotEvery = 200 }, nodes: 3, seeds: 1...20)
        for sight in [Sight.rottenSnapshots, .snapshotRotFound, .snapshotsMended] {
            #expect(sights[sight] > 0, "\(sight.rawValue)")
        }
    }

    @Test func powerLossTearsWritesAndLosesNames() throws {
        let plan = Self.plan {
            $0.powerLossEvery = 200
            $0.deepPowerLoss = 1
        }
        let sights = try Self.run(plan, nodes: 3, seeds: 1...100)
        for sight in [Sight.tornTails, .namesLost, .sectorsLost, .sectorsGarbled] {
            #expect(sights[sight] > 0, "\(sight.rawValue)")
        }
    }
}
