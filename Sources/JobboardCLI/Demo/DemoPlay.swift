import Jobboard
import JobboardClient
import WireFormat

/// The demo from its first act to the verdict.
struct DemoPlay: Sendable {
    /// The leader is killed when so many percent of the jobs are consumed, and started again a little later.
    private static let killPercent = 40
    private static let absence: Duration = .seconds(3)
    private static let concurrency = 8
    private static let look: Duration = .milliseconds(50)
    /// Nothing consumed for so long means that nothing will be.
    private static let patience: Duration = .seconds(60)

    let nodes: Int
    let jobs: Int
    let workers: Int

    /// What the summary needs.
    struct Ending: Sendable {
        var posted: [JobID]
        var records: [DemoVerdict.Record]
        var workTime: Duration
        var gap: Probe.Reading
        var reigns: [LeaderWatch.Reign]
        /// Every node has applied the log up to here.
        var commit: UInt64
    }

    private struct Cast {
        var nodes: [UInt64: DemoProcess] = [:]
        var workers: [DemoProcess] = []
        var posting: DemoProcess?
        /// The leader that was killed, and when.
        var victim: (node: UInt64, at: ContinuousClock.Instant)?
        var isBack = false
        /// Said once when it is seen.
        var hasSuccessor = false
    }

    func run(on stage: DemoStage, _ narrator: inout Narrator) async throws -> Ending {
        let asking = try stage.makeClient(timeout: .seconds(2))
        let probing = try stage.makeClient(timeout: .seconds(30))
        let leaders = LeaderWatch(client: asking, addresses: stage.addresses)
        let probe = Probe(client: probing)
        do {
            let ending = try await run(on: stage, leaders, probe, &narrator)
            await asking.shutdown()
            await probing.shutdown()
            return ending
        } catch {
            await asking.shutdown()
            await probing.shutdown()
            throw error
        }
    }

    private func run(
        on stage: DemoStage, _ leaders: LeaderWatch, _ probe: Probe, _ narrator: inout Narrator
    ) async throws -> Ending {
        var cast = Cast()
        try await raise(stage, leaders, &cast, &narrator)
        let posted = try DemoJobs.write(jobs, to: stage.jobFile)
        var records = RecordReader(paths: (1...workers).map(stage.record(ofWorker:)))
        defer { records.close() }
        let begin = ContinuousClock.now
        try startWork(stage, &cast, &narrator)
        let watchers = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await leaders.run() }
                group.addTask { await probe.run() }
            }
        }
        let workTime: Duration
        do {
            workTime = try await work(stage, leaders, probe, &cast, &records, begin, &narrator)
        } catch {
            watchers.cancel()
            await watchers.value
            throw error
        }
        watchers.cancel()
        await watchers.value
        for worker in cast.workers { try expectGood(await worker.stop(), of: worker) }
        try records.readOn()
        let commit = try await agree(leaders, &narrator)
        for (_, node) in cast.nodes.sorted(by: { $0.key < $1.key }) { try expectGood(await node.stop(), of: node) }
        try narrator.tell("all processes ended in good order; reading every node's log")
        return Ending(
            posted: posted, records: records.records, workTime: workTime, gap: probe.reading, reigns: leaders.reigns,
            commit: commit)
    }

    /// Starts the nodes and waits for a leader.
    private func raise(
        _ stage: DemoStage, _ leaders: LeaderWatch, _ cast: inout Cast, _ narrator: inout Narrator
    ) async throws {
        for node in 1...UInt64(nodes) { cast.nodes[node] = try stage.startNode(node) }
        try narrator.tell("started \(nodes) \(nodes == 1 ? "node" : "nodes") in \(stage.folder)")
        let deadline = ContinuousClock.now + .seconds(30)
        while leaders.reigns.isEmpty {
            try check(cast)
            guard .now < deadline else { throw CommandFailure.failed("no leader in 30 s") }
            _ = await leaders.look()
            try await Task.sleep(for: Self.look)
        }
        let reign = leaders.reigns[0]
        try narrator.tell("node \(reign.node) leads, term \(reign.term)")
    }

    private func startWork(_ stage: DemoStage, _ cast: inout Cast, _ narrator: inout Narrator) throws {
        cast.posting = try stage.startPosting()
        for number in 1...workers {
            cast.workers.append(try stage.startWorker(number, concurrency: Self.concurrency))
        }
        try narrator.tell(
            "posting \(Figures.grouped(jobs)) jobs; \(workers) \(workers == 1 ? "worker" : "workers") at \(Self.concurrency) jobs a time"
        )
    }

    /// Until all jobs are consumed or nothing moves any more; gives how long that took.
    private func work(
        _ stage: DemoStage, _ leaders: LeaderWatch, _ probe: Probe, _ cast: inout Cast, _ records: inout RecordReader,
        _ begin: ContinuousClock.Instant, _ narrator: inout Narrator
    ) async throws -> Duration {
        var last = (count: 0, at: ContinuousClock.now)
        var end: ContinuousClock.Instant?
        while true {
            try records.readOn()
            let count = records.records.count
            let now = ContinuousClock.now
            if count > last.count { last = (count, now) }
            if count >= jobs, end == nil {
                end = now
                try narrator.tell("all \(Figures.grouped(jobs)) jobs consumed")
            }
            try check(cast)
            try await intervene(count, stage, leaders, probe, &cast, &narrator)
            if let end, cast.isBack, cast.posting?.ended != nil { return end - begin }
            if now - last.at > Self.patience {
                try narrator.tell("nothing was consumed for \(Int(Self.patience.inSeconds)) s; giving up")
                return now - begin
            }
            let rate = Int(Double(count) / max(0.001, (now - begin).inSeconds))
            narrator.show(count, of: jobs, "\(Figures.grouped(count)) consumed, \(Figures.grouped(rate))/s")
            try await Task.sleep(for: Self.look)
        }
    }

    /// Kills the leader when it is time, and brings it back.
    private func intervene(
        _ count: Int, _ stage: DemoStage, _ leaders: LeaderWatch, _ probe: Probe, _ cast: inout Cast,
        _ narrator: inout Narrator
    ) async throws {
        guard let victim = cast.victim else {
            guard count * 100 >= jobs * Self.killPercent, let leader = leaders.reigns.last?.node,
                let process = cast.nodes[leader]
            else { return }
            process.kill()
            probe.leaderWasKilled()
            let now = ContinuousClock.now
            cast.victim = (leader, now)
            _ = await process.end()
            try narrator.tell("\(Figures.grouped(count)) jobs consumed: killed the leader, node \(leader), with SIGKILL")
            return
        }
        if !cast.hasSuccessor, let reign = leaders.reigns.last, reign.since > victim.at {
            cast.hasSuccessor = true
            try narrator.tell("node \(reign.node) leads, term \(reign.term)")
        }
        if !cast.isBack, .now - victim.at > Self.absence {
            cast.isBack = true
            cast.nodes[victim.node] = try stage.startNode(victim.node)
            try narrator.tell("started node \(victim.node) again")
        }
    }

    /// Nobody may end on their own, but for the one who was killed and the one who posts.
    private func check(_ cast: Cast) throws(CommandFailure) {
        for (number, node) in cast.nodes where node.ended != nil && (cast.isBack || number != cast.victim?.node) {
            throw .failed("node \(number) ended: \(node.lastWords)")
        }
        for worker in cast.workers where worker.ended != nil {
            throw .failed("\(worker.name) ended: \(worker.lastWords)")
        }
        if let posting = cast.posting, let end = posting.ended, end != .exited(0) {
            throw .failed("posting ended: \(posting.lastWords)")
        }
    }

    private func expectGood(_ end: RunningProcess.End, of process: DemoProcess) throws(CommandFailure) {
        guard end == .exited(0) else { throw .failed("\(process.name) ended with \(end): \(process.lastWords)") }
    }

    /// Waits until every node has applied the same; gives how far.
    private func agree(_ leaders: LeaderWatch, _ narrator: inout Narrator) async throws -> UInt64 {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let found = await leaders.look()
            let answers = await leaders.lookDeeper()
            let applied = Set(found.map(\.applied) + answers.map(\.index))
            let digests = Set(answers.map(\.digest))
            if found.count == nodes, answers.count == nodes, applied.count == 1, digests.count == 1, let index = applied.first {
                try narrator.tell("every node has applied the log up to entry \(index); their boards are equal")
                return index
            }
            guard .now < deadline else { throw CommandFailure.failed("the nodes did not come to agree in 30 s") }
            try await Task.sleep(for: Self.look)
        }
    }
}
