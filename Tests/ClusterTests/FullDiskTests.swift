import Foundation
import JobboardClient
import Testing
import WireFormat

/// Real processes on disks that fill up and are emptied again.
@Suite(.serialized, .enabled(if: TestDisk.canMount, "a tmpfs can't be mounted")) struct FullDiskTests {
    /// Posts jobs of which nothing can be shortened until it is told to stop, or there were too many; gives those that were
    /// acknowledged, and what refused the last one.
    private func postLarge(
        _ client: JobboardClient, until isEnough: () async throws -> Bool
    ) async throws -> (posted: [JobID], refusal: JobboardError?) {
        var posted: [JobID] = []
        for number in 0..<600 {
            let digits = (0..<3750).map { _ in String(UInt64.random(in: (1 << 60)...(.max)), radix: 16) }.joined()
            do throws(JobboardError) {
                let job = NewJob(name: "large-\(number)", details: Array("\"\(digits)\"".utf8))
                posted.append(try await client.post(job, timeout: .seconds(30)).job.id)
            } catch {
                return (posted, error)
            }
            if try await isEnough() { return (posted, nil) }
        }
        throw TestCluster.Failure(description: "600 large jobs were posted on disks that should be full")
    }

    /// Fill, refuse, free, recover; nobody is started anew but the one that is to show that it can be.
    @Test(.timeLimit(.minutes(5))) func aFullClusterRefusesPostsWorksJobsOffAndRecoversByItself() async throws {
        var disks: [TestDisk] = []
        let cluster = try await TestCluster(nodes: 3) { disks.append(try TestDisk(at: $0, mebibytes: 64)) }
        defer { withExtendedLifetime(cluster) { disks.forEach { $0.remove() } } }
        let client = try JobboardClient(nodes: cluster.addresses)
        var acknowledged = [try await client.post(NewJob(name: "first"), timeout: .seconds(30)).job.id]
        try await eventually("the spares are made") { disks.allSatisfy { $0.spares == 2 } }
        let processes = (1...3).map { cluster.process(of: $0) }

        // One disk is full: another node leads, and no client hears of it.
        let first = try #require(try await client.status().leader)
        try disks[Int(first) - 1].fill()
        let before = try await postLarge(client) { try await client.status().leader.map { $0 != first } ?? false }
        #expect(before.refusal == nil, "\(before.refusal.map { "\($0)" } ?? "")")
        acknowledged += before.posted

        // All are: posts are refused, and jobs are worked off.
        for node in 1...3 where node != Int(first) { try disks[node - 1].fill() }
        let after = try await postLarge(client) { false }
        #expect(after.refusal?.code == .readOnly, "\(after.refusal.map { "\($0)" } ?? "")")
        acknowledged += after.posted
        var consumed: Set<JobID> = []
        for _ in 0..<5 {
            let job = try #require(try await client.claimNext(who: "w", timeout: .seconds(30)).first)
            let done = try await client.consume(job.id, who: "w", fence: job.fence, timeout: .seconds(30))
            #expect(done.state == .complete)
            consumed.insert(job.id)
        }
        let nodes = cluster.addresses.joined(separator: ",")
        #expect(try TestCluster.run(["status", "--nodes", nodes, "-o", "table"]).output.contains("read-only"))
        let refused = try TestCluster.run(["post", "late", "--nodes", nodes])
        #expect(refused.status == 5 && refused.errors.contains("read_only"), "\(refused.errors)")

        // A node starts on a full disk.
        let leader = try #require(try await client.status().leader)
        let follower = (1...3).first { $0 != Int(leader) }!
        #expect(cluster.stop(follower) == 0)
        try cluster.start(follower)
        let address = cluster.addresses[follower - 1]
        try await eventually("node \(follower) starts on its full disk") {
            try await client.status(of: address, timeout: .seconds(1)).leader != nil
        }

        // Room again.
        try disks.forEach { try $0.empty() }
        try await eventually("posts are taken again") {
            acknowledged.append(try await client.post(NewJob(name: "last"), timeout: .seconds(5)).job.id)
            return true
        }
        for node in 1...3 where node != follower {
            #expect(cluster.process(of: node) == processes[node - 1], "node \(node) never ended:\n\(cluster.words(of: node))")
        }
        let words = (1...3).map { cluster.words(of: $0) }.joined()
        for line in ["the disk is full", "posts are refused", "the disk has room again"] {
            #expect(words.contains(line), "\(line)")
        }
        await client.shutdown()
        try await expect(Set(acknowledged).subtracting(consumed), at: cluster)
    }

    /// What is fetched for a damaged log needs room too.
    @Test(.timeLimit(.minutes(3))) func aRepairWaitsForRoom() async throws {
        var disks: [TestDisk] = []
        let cluster = try await TestCluster(nodes: 3) { disks.append(try TestDisk(at: $0, mebibytes: 64)) }
        defer { withExtendedLifetime(cluster) { disks.forEach { $0.remove() } } }
        let client = try JobboardClient(nodes: cluster.addresses)
        for number in 0..<100 { _ = try await client.post(NewJob(name: "job-\(number)"), timeout: .seconds(30)) }
        try await eventually("the spares are made") { disks.allSatisfy { $0.spares == 2 } }
        #expect(cluster.stop(3) == 0)
        let segment = try FileHandle(forUpdating: cluster.dataFolder(3).appending(path: "segment-00000001"))
        try segment.seek(toOffset: 40 << 10)
        try segment.write(contentsOf: [UInt8](repeating: 0xa5, count: 64 << 10))
        try segment.close()
        try disks[2].fill()
        try cluster.start(3)
        try await eventually("it waits for room") {
            let status = try await client.status(of: cluster.addresses[2], timeout: .seconds(1))
            let table = try TestCluster.run(["status", "--nodes", cluster.addresses[2], "-o", "jsonl"]).output
            return status.role == .repairing && status.repair.missingBlocks > 0 && table.contains(#""room":"none""#)
        }
        let process = cluster.process(of: 3)
        try disks[2].empty()
        let fresh = try JobboardClient(nodes: [cluster.addresses[2]])
        try await eventually("it goes on") { try await fresh.count(fresh: false) == 100 }
        #expect(cluster.process(of: 3) == process && process != nil, "\(cluster.words(of: 3))")
        #expect(cluster.words(of: 3).contains("the repair waits for room"))
        await client.shutdown()
        await fresh.shutdown()
    }

    /// Every node comes to have all of them.
    private func expect(_ jobs: Set<JobID>, at cluster: TestCluster) async throws {
        for address in cluster.addresses {
            let client = try JobboardClient(nodes: [address])
            try await eventually("\(address) has all jobs") {
                var here: Set<JobID> = []
                for try await job in client.allJobs(JobsQuery(board: "default", limit: 100), fresh: false) { here.insert(job.id) }
                return jobs.isSubset(of: here)
            }
            await client.shutdown()
        }
    }
}
