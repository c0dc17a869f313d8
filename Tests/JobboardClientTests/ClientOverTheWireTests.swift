import Jobboard
import JobboardClient
import NIOCore
import NIOPosix
import Testing
import WireFormat

@Suite(.timeLimit(.minutes(10))) struct ClientOverTheWireTests {
    private let id = JobID(high: 1, low: 2)

    @Test func `a write reaches the leader that the node names, and a later one that a refusal names`() async throws {
        let second = try await FakeNode.start()
        let first = try await FakeNode.start()
        let follower = try await FakeNode.start(leader: first.address)
        let client = try JobboardClient(nodes: [follower.address])
        async let reply = client.extend(id, who: "w", fence: 5)
        var atFirst = first.requests.makeAsyncIterator()
        let refused = try #require(await atFirst.next())
        refused.answer(.notLeader(leader: second.address))
        var atSecond = second.requests.makeAsyncIterator()
        let received = try #require(await atSecond.next())
        #expect(received.command == refused.command)
        received.answer(.outcome(.changed(claimedJob())))
        #expect(try await reply == claimedJob())
        await client.shutdown()
    }

    @Test func `a connection lost in the middle of a request leads to the same command elsewhere`() async throws {
        let one = try await FakeNode.start()
        let two = try await FakeNode.start(beside: one)
        let client = try JobboardClient(nodes: [one.address, two.address])
        async let reply = client.post(NewJob(id: id, name: "n"))
        // Either node may be the first; the other one gets the retry.
        var requests = one.requests.makeAsyncIterator()
        let first = try #require(await requests.next())
        #expect(first.command?.sequence == 1)
        first.hangUp()
        let second = try #require(await requests.next())
        #expect(second.command == first.command)
        #expect(second.channel.localAddress != first.channel.localAddress)
        second.answer(.outcome(.posted([claimedJob()], duplicates: [true])))
        #expect(try await reply.duplicate)
        await client.shutdown()
    }

    @Test func `many calls at once get each its own answer`() async throws {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        let server = Task {
            for await received in node.requests {
                guard case .read(.job(let id), _) = received.request else { continue }
                received.answer(.job(claimedJob(id.low)))
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for low in UInt64(0)..<500 {
                group.addTask {
                    let job = try await client.job(JobID(high: 1, low: low))
                    #expect(job.id.low == low)
                }
            }
            try await group.waitForAll()
        }
        server.cancel()
        await client.shutdown()
    }

    @Test func `a call from the client's own event loop is answered too`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address], eventLoopGroup: group)
        let id = self.id
        let reply = group.next().makeFutureWithTask { try await client.count(board: "b") }
        var requests = node.requests.makeAsyncIterator()
        try #require(await requests.next()).answer(.count(3))
        #expect(try await reply.get() == 3)
        async let owner = client.owner(of: id)
        try #require(await requests.next()).answer(.owner("w"))
        #expect(try await owner == "w")
        await client.shutdown()
        try await group.shutdownGracefully()
    }

    @Test func `a cancelled claim ends with CancellationError, and what it got is abandoned`() async throws {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        var requests = node.requests.makeAsyncIterator()
        let claim = Task { try await client.claimNext(who: "w", wait: .seconds(30)) }
        let parked = try #require(await requests.next())
        claim.cancel()
        await #expect(throws: CancellationError.self) { try await claim.value }
        #expect(try #require(await requests.next()).request == .cancel(parked.number))
        parked.answer(.outcome(.claimed([claimedJob(2, fence: 5)])))
        let back = try #require(await requests.next())
        #expect(
            back.command?.command
                == .abandon(Holder(job: id, who: "w", fence: 5), delayMilliseconds: nil, failure: nil))
        back.answer(.outcome(.changed(claimedJob())))
        await client.shutdown()
    }

    @Test func `a task cancelled beforehand asks for nothing`() async throws {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        let claim = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await client.claimNext(who: "w", wait: .seconds(30))
        }
        claim.cancel()
        await #expect(throws: CancellationError.self) { try await claim.value }
        await client.shutdown()
    }

    @Test func `a listing goes from page to page`() async throws {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        let server = Task {
            for await received in node.requests {
                guard case .read(.jobs(let query), _) = received.request else { continue }
                let first = query.cursor == nil
                let cursor = first ? JobsQuery.Cursor(priority: .normal, position: 1) : nil
                received.answer(.jobs(JobsPage(jobs: [claimedJob(first ? 1 : 2)], cursor: cursor, position: 9)))
            }
        }
        var seen: [UInt64] = []
        for try await job in client.allJobs(JobsQuery(board: "b", limit: 1)) { seen.append(job.id.low) }
        #expect(seen == [1, 2])
        server.cancel()
        await client.shutdown()
    }

    @Test func `a node's status is asked of that node, even when another one leads`() async throws {
        let leader = try await FakeNode.start()
        let follower = try await FakeNode.start(leader: leader.address)
        let client = try JobboardClient(nodes: [leader.address])
        async let status = client.status(of: follower.address)
        var requests = follower.requests.makeAsyncIterator()
        let sent = NodeStatus(cluster: "test", node: 2, role: .follower, term: 3)
        try #require(await requests.next()).answer(.status(sent))
        #expect(try await status == sent)
        await client.shutdown()
    }

    @Test func `nothing listens: the call ends in time, not applied`() async throws {
        let node = try await FakeNode.start()
        try await node.stop()
        let client = try JobboardClient(nodes: [node.address])
        let error = await #expect(throws: JobboardError.self) {
            try await client.extend(id, who: "w", timeout: .milliseconds(100))
        }
        #expect(error?.code == .unavailable)
        #expect(error?.outcome == .notApplied)
        await client.shutdown()
    }

    @Test func `addresses that can't be read are refused`() {
        for nodes in [[], ["nowhere"], ["host:0"], ["::1:7"], [":7"], ["h:70000"]] {
            #expect(throws: JobboardError.self) { try JobboardClient(nodes: nodes) }
        }
        #expect(throws: Never.self) { try JobboardClient(nodes: ["[::1]:7", "host:7"]) }
    }

    @Test func `a request that fits into no frame is refused here and disturbs nobody`() async throws {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        let huge = NewJob(name: "n", details: Array(repeating: 32, count: Framing.maximumClientFrame))
        let error = await #expect(throws: JobboardError.self) { try await client.post(huge) }
        #expect(error?.code == .tooLarge)
        #expect(error?.outcome == .notApplied)
        await client.shutdown()
    }
}
