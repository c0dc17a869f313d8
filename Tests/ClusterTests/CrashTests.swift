import Foundation
import JobboardClient
import Testing
import WireFormat

/// Real processes that die.
@Suite(.serialized) struct CrashTests {
    /// How often all nodes die at once; CRASH_ROUNDS says otherwise.
    private static let rounds = ProcessInfo.processInfo.environment["CRASH_ROUNDS"].flatMap { Int($0) } ?? 3

    @Test func theDemoEndsWell() throws {
        let result = try TestCluster.run(["demo", "--jobs", "1000", "--workers", "4"])
        #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        #expect((result.output + result.errors).contains("GOOD"))
    }

    @Test(.timeLimit(.minutes(30))) func whatWasAcknowledgedSurvivesTheDeathOfAllNodesAtOnce() async throws {
        let cluster = try await TestCluster(nodes: 3)
        var acknowledged: Set<JobID> = []
        for round in 1...Self.rounds {
            let client = try JobboardClient(nodes: cluster.addresses)
            _ = try await client.post(NewJob(name: "round-\(round)"), timeout: .seconds(30))
            // Many posts are under way when the power goes.
            await withTaskGroup(of: JobID?.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let posted = try? await client.post(NewJob(name: "job-\(round)-\(number)"), timeout: .seconds(1))
                        return posted?.job.id
                    }
                }
                var answered = 0
                for await id in group {
                    if let id { acknowledged.insert(id) }
                    answered += 1
                    if answered == 50 { for node in 1...3 { cluster.kill(node) } }
                }
            }
            await client.shutdown()
            for node in 1...3 { try cluster.start(node) }
        }
        #expect(acknowledged.count >= 50 * Self.rounds)
        try await expectEverywhere(acknowledged, in: cluster)
        for node in 1...3 { #expect(cluster.stop(node) == 0, "SIGTERM is a graceful stop") }
    }

    @Test(.timeLimit(.minutes(2))) func aClusterOfOneWorksTheSameWay() async throws {
        let cluster = try await TestCluster(nodes: 1)
        let client = try JobboardClient(nodes: cluster.addresses)
        let posted = try await client.post(NewJob(name: "alone"), timeout: .seconds(30)).job
        let claimed = try await client.claim(posted.id, who: "w1")
        cluster.kill(1)
        try cluster.start(1)
        let fence = try #require(claimed.fence)
        let done = try await client.consume(posted.id, who: "w1", fence: fence, timeout: .seconds(30))
        #expect(done.state == .complete)
        await client.shutdown()
    }

    @Test(.timeLimit(.minutes(2))) func aClientRidesOutTheDeathOfTheLeader() async throws {
        let cluster = try await TestCluster(nodes: 3)
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "first"), timeout: .seconds(30))
        let status = try await client.status()
        let leader = try #require(status.leader)
        cluster.kill(Int(leader))
        let posted = try await client.post(NewJob(name: "second"), timeout: .seconds(30))
        #expect(!posted.duplicate, "the retry of a lost answer is told apart from a second post")
        #expect(try await client.count() == 2)
        await client.shutdown()
    }

    @Test(.timeLimit(.minutes(2))) func aLeaderThatIsStoppedHandsOverBeforeItEnds() async throws {
        let cluster = try await TestCluster(nodes: 3)
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "first"), timeout: .seconds(30))
        let leader = try #require(try await client.status().leader)
        #expect(cluster.stop(Int(leader)) == 0)
        // Its own last words on who leads name another.
        let words = cluster.words(of: Int(leader)).split(separator: "\n")
        let end = try #require(words.lastIndex { $0.contains("node stopped") })
        let last = try #require(words[..<end].last { $0.contains("leader known") })
        #expect(!last.contains("raft.leader=\(leader)") && last.contains("raft.leader="), "\(last)")
        #expect(try await client.post(NewJob(name: "second"), timeout: .seconds(30)).duplicate == false)
        await client.shutdown()
    }

    @Test(.timeLimit(.minutes(10))) func aNodeWhoseDiskFailsEndsAndNamesTheFile() async throws {
        let cluster = try await TestCluster(nodes: 1)
        let client = try JobboardClient(nodes: cluster.addresses)
        _ = try await client.post(NewJob(name: "before"), timeout: .seconds(30))
        await client.shutdown()
        cluster.stop(1)
        // From here on no write beyond the first pages succeeds.
        let result = try TestCluster.run(
            shell: "trap '' XFSZ; ulimit -f 8; exec \"$0\" serve --config \"$1\" --node 1 --data \"$2\"",
            [TestCluster.command.path, cluster.folder.appending(path: "cluster.json").path, cluster.dataFolder(1).path])
        #expect(result.status == 1, "\(result.errors)")
        #expect(result.errors.contains("the disk failed") && result.errors.contains("segment-"), "\(result.errors)")
    }

    /// Every node, asked for what it has itself, comes to have all of them, and the same list.
    private func expectEverywhere(_ jobs: Set<JobID>, in cluster: TestCluster) async throws {
        var lists: [[JobID]] = []
        let fresh = try JobboardClient(nodes: cluster.addresses)
        var ids: [JobID] = []
        for try await job in fresh.allJobs(JobsQuery(board: "default", limit: 1000)) { ids.append(job.id) }
        await fresh.shutdown()
        for address in cluster.addresses {
            let client = try JobboardClient(nodes: [address])
            let expected = ids
            try await eventually("\(address) has all jobs") {
                var here: [JobID] = []
                for try await job in client.allJobs(JobsQuery(board: "default", limit: 1000), fresh: false) {
                    here.append(job.id)
                }
                return here == expected
            }
            lists.append(ids)
            await client.shutdown()
        }
        #expect(jobs.subtracting(ids).isEmpty, "acknowledged and missing: \(jobs.subtracting(ids).count)")
    }
}
