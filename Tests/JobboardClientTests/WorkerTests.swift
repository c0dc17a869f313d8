import Jobboard
import JobboardClient
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle
import Testing
import WireFormat

/// The limit is for hangs alone: beside the simulator each of these takes minutes on a machine of two cores.
@Suite(.timeLimit(.minutes(10))) struct WorkerTests {
    private let holder = Holder(job: JobID(high: 1, low: 2), who: "w", fence: 5)

    /// A worker at a fake node, its first job handed to it. Returns what the node gets from then on.
    private func start(
        _ options: Worker.Options = Worker.Options(), handler: @escaping Worker.Handler
    ) async throws -> Running {
        let node = try await FakeNode.start()
        let client = try JobboardClient(nodes: [node.address])
        let worker = Worker(client: client, who: "w", options: options, handler: handler)
        let services = ServiceGroup(services: [worker], logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let run = Task { try await services.run() }
        var requests = node.requests.makeAsyncIterator()
        let claim = try #require(await requests.next())
        guard case .claimNext(let wanted) = claim.command?.command else { throw Unexpected() }
        #expect(wanted.who == "w")
        claim.answer(.outcome(.claimed([claimedJob(2, fence: 5)])))
        return Running(client: client, services: services, run: run, requests: requests)
    }

    private struct Unexpected: Error {}

    private struct Running {
        let client: JobboardClient
        let services: ServiceGroup
        let run: Task<Void, any Error>
        var requests: AsyncStream<FakeNode.Received>.AsyncIterator

        /// The next request that is not a claim; claims get nothing for now.
        mutating func next() async throws -> FakeNode.Received {
            while let received = await requests.next(isolation: #isolation) {
                switch received.request {
                case .cancel: continue
                default: break
                }
                guard case .claimNext = received.command?.command else { return received }
            }
            throw Unexpected()
        }

        func end() async throws {
            await services.triggerGracefulShutdown()
            try await run.value
            await client.shutdown()
        }
    }

    /// Waits until its task is cancelled.
    private static func untilCancelled() async {
        let stream = AsyncStream<Void> { _ in }
        for await _ in stream {}
    }

    @Test func `a handler's result consumes the job under its fence, and the next job is claimed`() async throws {
        var running = try await start { job, claim in
            #expect(job.fence == claim.fence)
            return .consume(result: [49])
        }
        let received = try await running.next()
        #expect(received.command?.command == .consume(holder, result: [49], followUps: []))
        received.answer(.outcome(.changed(claimedJob())))
        let next = try #require(await running.requests.next())
        guard case .claimNext = next.command?.command else { throw Unexpected() }
        try await running.end()
    }

    @Test func `a handler that throws gives the job back as a failure`() async throws {
        var running = try await start { _, _ in throw JobboardError(.internal, "boom") }
        let received = try await running.next()
        #expect(
            received.command?.command == .abandon(holder, delayMilliseconds: nil, failure: "internal: boom"))
        received.answer(.outcome(.changed(claimedJob())))
        try await running.end()
    }

    @Test func `a handler is cancelled when its claim is lost, and its verdict is dropped`() async throws {
        var options = Worker.Options()
        options.lease = .milliseconds(900)
        let cancelled = NIOLockedValueBox(false)
        var running = try await start(options) { _, _ in
            await Self.untilCancelled()
            cancelled.withLockedValue { $0 = true }
            return .consume()
        }
        let renewal = try await running.next()
        #expect(renewal.command?.command == .extend(holder, leaseMilliseconds: 900))
        renewal.answer(.outcome(.refused(JobboardError(.staleFence, "claimed again"))))
        // What comes next is a claim, not the verdict.
        let next = try #require(await running.requests.next())
        guard case .claimNext = next.command?.command else { throw Unexpected() }
        #expect(cancelled.withLockedValue { $0 })
        try await running.end()
    }

    @Test func `a handler is cancelled when no renewal got through before the lease ended`() async throws {
        var options = Worker.Options()
        options.lease = .milliseconds(60)
        var running = try await start(options) { _, _ in
            await Self.untilCancelled()
            return .consume()
        }
        // The node says nothing to renewals; they may be repeated.
        while let received = await running.requests.next() {
            if case .claimNext = received.command?.command { break }
            guard case .extend = received.command?.command else { throw Unexpected() }
        }
        try await running.end()
    }

    @Test func `a renewed claim lets its handler finish`() async throws {
        var options = Worker.Options()
        options.lease = .milliseconds(1500)
        let (stream, finish) = AsyncStream.makeStream(of: Void.self)
        var running = try await start(options) { _, _ in
            for await _ in stream {}
            return .consume()
        }
        for _ in 0..<4 {
            let renewal = try await running.next()
            guard case .extend = renewal.command?.command else { throw Unexpected() }
            renewal.answer(.outcome(.changed(claimedJob())))
        }
        finish.finish()
        var last = try await running.next()
        while case .extend = last.command?.command {
            last.answer(.outcome(.changed(claimedJob())))
            last = try await running.next()
        }
        #expect(last.command?.command == .consume(holder, result: nil, followUps: []))
        last.answer(.outcome(.changed(claimedJob())))
        try await running.end()
    }

    @Test func `a shutdown that cancels gives unfinished jobs back and claims no more`() async throws {
        var options = Worker.Options()
        options.shutdown = .cancel
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        var running = try await start(options) { _, _ in
            begin.finish()
            await Self.untilCancelled()
            throw CancellationError()
        }
        for await _ in begun {}
        await running.services.triggerGracefulShutdown()
        let received = try await running.next()
        #expect(received.command?.command == .abandon(holder, delayMilliseconds: nil, failure: nil))
        received.answer(.outcome(.changed(claimedJob())))
        try await running.run.value
        await running.client.shutdown()
    }

    @Test func `a shutdown that waits lets handlers finish`() async throws {
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let (stream, finish) = AsyncStream.makeStream(of: Void.self)
        var running = try await start { _, _ in
            begin.finish()
            for await _ in stream {}
            return .consume()
        }
        for await _ in begun {}
        await running.services.triggerGracefulShutdown()
        finish.finish()
        let received = try await running.next()
        #expect(received.command?.command == .consume(holder, result: nil, followUps: []))
        received.answer(.outcome(.changed(claimedJob())))
        try await running.run.value
        await running.client.shutdown()
    }

    @Test func `a verdict that can't be taken at present is sent again, while the claim is kept`() async throws {
        var options = Worker.Options()
        options.lease = .milliseconds(1500)
        var running = try await start(options) { _, _ in .consume() }
        var consumes = 0
        var renewals = 0
        // Longer than the lease, which is renewed meanwhile.
        while consumes < 3 || renewals < 4 {
            let received = try await running.next()
            switch received.command?.command {
            case .consume(holder, result: nil, followUps: []):
                consumes += 1
                received.answer(.outcome(.refused(JobboardError(.readOnly, "no room"))))
            case .extend(holder, leaseMilliseconds: 1500):
                renewals += 1
                received.answer(.outcome(.changed(claimedJob())))
            case nil: break
            default: throw Unexpected()
            }
        }
        var last = try await running.next()
        while case .extend = last.command?.command {
            last.answer(.outcome(.changed(claimedJob())))
            last = try await running.next()
        }
        #expect(last.command?.command == .consume(holder, result: nil, followUps: []))
        last.answer(.outcome(.changed(claimedJob())))
        // The job is out of hand, and the next one is claimed; a renewal may have been on its way.
        while let next = await running.requests.next() {
            if case .claimNext = next.command?.command { break }
        }
        try await running.end()
    }

    @Test func `a verdict is not sent again once the claim is lost`() async throws {
        var options = Worker.Options()
        options.lease = .milliseconds(1500)
        var running = try await start(options) { _, _ in .consume() }
        var isLost = false
        var consumesAfterLoss = 0
        while let received = await running.requests.next() {
            switch received.command?.command {
            case .consume:
                if isLost { consumesAfterLoss += 1 }
                // One may have been on its way when the renewal was answered. It is answered after the renewal, and so
                // the worker knows of the loss before it could send another.
                #expect(consumesAfterLoss <= 1)
                received.answer(.outcome(.refused(JobboardError(.readOnly, "no room"))))
            case .extend:
                isLost = true
                received.answer(.outcome(.refused(JobboardError(.notClaimed, "the lease is over"))))
            case .claimNext:
                #expect(isLost)
                return try await running.end()
            case nil: break
            default: throw Unexpected()
            }
        }
    }

    @Test func `a handler that could not begin gives its job back without a failure, and claims pause`() async throws {
        var running = try await start { _, _ in throw Worker.CannotRun("no memory", isPassing: true) }
        let received = try await running.next()
        #expect(received.command?.command == .abandon(holder, delayMilliseconds: nil, failure: nil))
        let answered = ContinuousClock.now
        received.answer(.outcome(.changed(claimedJob())))
        let next = try #require(await running.requests.next())
        guard case .claimNext = next.command?.command else { throw Unexpected() }
        #expect(ContinuousClock.now - answered >= .seconds(1))
        try await running.end()
    }

    @Test func `a worker whose handlers can't begin ends, its job given back`() async throws {
        var running = try await start { _, _ in throw Worker.CannotRun("no program", isPassing: false) }
        let received = try await running.next()
        #expect(received.command?.command == .abandon(holder, delayMilliseconds: nil, failure: nil))
        received.answer(.outcome(.changed(claimedJob())))
        await #expect(throws: Worker.CannotRun("no program", isPassing: false)) { try await running.run.value }
        await running.client.shutdown()
    }
}
