import Testing

@testable import Jobboard

/// The rules of the board once more, as plainly as can be: one array, searched from the start each time.
private struct Model {
    struct Item {
        var new: NewJob
        var board: String
        var position: UInt64
        var state = JobState.unclaimed
        var ready = true
        var owner: String?
        var fence: UInt64 = 0
        var leaseUntil: Int64 = 0
        var readyAt: Int64 = 0
        var expiresAt: Int64?
        var failures: UInt32 = 0
        var lost: UInt32 = 0
    }

    var items: [Item] = []
    var now: Int64 = 0
    var fence: UInt64 = 0
    var position: UInt64 = 0
    let limits: BoardLimits
    /// Boards that were claimed from by name.
    var named: Set<String> = []

    init(limits: BoardLimits) { self.limits = limits }

    /// Serves everything that is due, the earliest first.
    mutating func advance(to time: Int64) {
        now = max(now, time)
        while true {
            var due: [(Int64, Int, UInt64, Int)] = []
            for (index, item) in items.enumerated() {
                if item.state == .claimed { due.append((item.leaseUntil, 0, item.position, index)) }
                if item.state == .unclaimed, !item.ready { due.append((item.readyAt, 1, item.position, index)) }
                if let end = item.expiresAt, item.state == .unclaimed || item.state == .claimed {
                    due.append((end, 2, item.position, index))
                }
            }
            guard let (deadline, kind, _, index) = due.min(by: <), deadline <= now else { return }
            switch kind {
            case 0:
                items[index].lost += 1
                (items[index].state, items[index].owner, items[index].ready) = (.unclaimed, nil, false)
                items[index].readyAt = now + Self.pause(items[index].lost)
                position += 1
                let most = items[index].new.maxLostClaims ?? 16
                if most > 0, items[index].lost >= most {
                    items[index].state = .trashed
                    position += 1
                } else {
                    expireIfOverdue(index)
                }
            case 1: items[index].ready = true
            default:
                items[index].expiresAt = nil
                guard items[index].state == .unclaimed else { continue }
                items[index].state = .trashed
                position += 1
            }
        }
    }

    /// A job that expired while it was claimed.
    mutating func expireIfOverdue(_ index: Int) {
        guard items[index].new.expiresAfterMilliseconds != nil, items[index].expiresAt ?? 0 <= now else { return }
        items[index].expiresAt = nil
        items[index].state = .trashed
        position += 1
    }

    mutating func post(_ new: NewJob, _ board: String) {
        if items.contains(where: { $0.new.id == new.id }) { return }
        if let key = new.key,
            items.contains(where: { $0.board == board && $0.new.key == key && ($0.state == .unclaimed || $0.state == .claimed) })
        {
            return
        }
        position += 1
        var item = Item(new: new, board: board, position: position)
        item.readyAt = now + Int64(new.delayMilliseconds ?? 0)
        item.ready = item.readyAt <= now
        item.expiresAt = new.expiresAfterMilliseconds.map { now + Int64($0) }
        items.append(item)
    }

    /// The jobs that a claim gets, in order.
    mutating func claim(_ want: ClaimNext) -> [JobID] {
        let live = items.filter { $0.board == want.board && ($0.state == .unclaimed || $0.state == .claimed) }
        // The first claim by name gives a board an index, and where there is much to index it does nothing else.
        if want.name != nil, live.contains(where: { $0.ready && $0.state == .unclaimed }), named.insert(want.board).inserted,
            live.count > limits.namesAtOnce
        {
            return []
        }
        var wanted = items.indices.filter { index in
            let item = items[index]
            return item.board == want.board && item.ready && item.state == .unclaimed
                && (want.name == nil || want.name == item.new.name)
                && (want.priorities.isEmpty || want.priorities.contains(item.new.priority))
        }
        wanted.sort {
            (items[$0].new.priority.rawValue, items[$0].position) < (items[$1].new.priority.rawValue, items[$1].position)
        }
        return wanted.prefix(Int(want.count)).map { index in
            fence += 1
            position += 1
            items[index].state = .claimed
            (items[index].owner, items[index].fence) = (want.who, fence)
            items[index].leaseUntil = now + Int64(want.leaseMilliseconds ?? items[index].new.leaseMilliseconds ?? 30_000)
            return items[index].new.id
        }
    }

    func index(_ holder: Holder) -> Int? {
        items.firstIndex {
            $0.new.id == holder.job && $0.state == .claimed && $0.owner == holder.who
                && (holder.fence == nil || holder.fence == $0.fence)
        }
    }

    static func pause(_ count: UInt32) -> Int64 {
        [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000][Int(min(count, 10) - 1)]
    }

    mutating func abandon(_ index: Int, delay: UInt64?, failure: Bool) {
        position += 1
        items[index].owner = nil
        var delay = delay
        if failure {
            items[index].failures += 1
            if let most = items[index].new.maxFailures, items[index].failures >= most { return items[index].state = .trashed }
            delay = delay ?? UInt64(Self.pause(items[index].failures))
        }
        items[index].state = .unclaimed
        items[index].readyAt = now + Int64(delay ?? 0)
        items[index].ready = items[index].readyAt <= now
        expireIfOverdue(index)
    }

    mutating func consume(_ index: Int, followUps: [NewJob]) {
        position += 1
        (items[index].state, items[index].owner) = (.complete, nil)
        for new in followUps { post(new, items[index].board) }
    }

    /// Whether a list of posts has the same uuid with other content, against what is there or in itself.
    func clashes(_ jobs: [NewJob], _ board: String) -> Bool {
        var seen = items.map { ($0.new, $0.board) }
        for job in jobs {
            if let other = seen.first(where: { $0.0.id == job.id }), other.0 != job || other.1 != board { return true }
            seen.append((job, board))
        }
        return false
    }

    /// Does the same as the machine; true when it is not refused. Claims are compared one by one.
    mutating func run(_ command: Command, got outcome: Outcome) -> Bool {
        switch command {
        case .post(let board, let jobs):
            guard !clashes(jobs, board) else { return false }
            for job in jobs { post(job, board) }
        case .claimNext(let want):
            let ids = claim(want)
            guard case .claimed(let jobs) = outcome else { return ids.isEmpty }
            #expect(jobs.map(\.id) == ids && jobs.allSatisfy { $0.leaseUntil!.milliseconds > now })
        case .claim(let id, let who, let lease):
            guard let item = items.first(where: { $0.new.id == id }), item.state == .unclaimed, item.ready else { return false }
            let others = items.map(\.ready)
            for index in items.indices where items[index].new.id != id { items[index].ready = false }
            let ids = claim(ClaimNext(board: item.board, who: who, leaseMilliseconds: lease))
            for index in items.indices where items[index].new.id != id { items[index].ready = others[index] }
            #expect(ids == [id] && outcome.job?.fence == fence)
        case .extend(let holder, let lease):
            guard let index = index(holder) else { return false }
            position += 1
            items[index].leaseUntil = now + Int64(lease ?? items[index].new.leaseMilliseconds ?? 30_000)
        case .abandon(let holder, let delay, let failure):
            guard let index = index(holder) else { return false }
            abandon(index, delay: delay, failure: failure != nil)
        case .consume(let holder, _, let followUps):
            guard let index = index(holder), !clashes(followUps, items[index].board) else { return false }
            consume(index, followUps: followUps)
        case .openSession, .closeSession: return false
        }
        return true
    }

    func count(_ board: String, _ state: JobState) -> Int { items.count { $0.board == board && $0.state == state } }
}

@Suite struct ModelTests {
    /// With few jobs at once, indexes of names are built at a random pace between the commands.
    @Test(arguments: [11, 12, 13, 14, 15, 16] as [UInt64])
    func `the machine does what the plain model does`(seed: UInt64) throws {
        var maker = CommandMaker(seed: seed)
        var limits = BoardLimits()
        if seed > 12 { limits.namesAtOnce = Int(seed) - 13 }
        var desk = Desk(limits: limits)
        var model = Model(limits: limits)
        model.now = desk.time
        var accepted = 0
        for step in 0..<3000 {
            if maker.random.chance(40) {
                desk.wait(Int64(maker.random.below(400)))
                model.advance(to: desk.time)
            }
            var live: [Job] = []
            for board in ["x", "y"] { live += try desk.machine.jobs(JobsQuery(board: board)).jobs }
            let command = maker.command(live: live)
            let outcome = desk.run(command)
            if desk.machine.validate(command) == nil {
                let done = model.run(command, got: outcome)
                #expect(done == (outcome.error == nil), "step \(step): \(command) gave \(outcome)")
                if done { accepted += 1 }
            }
            #expect(desk.machine.lastPosition == model.position, "step \(step): \(command)")
            for board in ["x", "y"] {
                for state in JobState.allCases {
                    #expect(desk.machine.count(board: board, state: state) == model.count(board, state))
                }
                let ready = model.items.count { $0.board == board && $0.state == .unclaimed && $0.ready }
                #expect(desk.machine.claimableCount(board: board) == ready)
            }
            if step % 20 == 0 { desk.machine.forgetWhatIsOnlyForSpeed() }
            _ = desk.machine.buildNameIndexes(records: maker.random.below(6))
            if step % 100 == 0 { desk.machine.checkInvariants() }
        }
        #expect(accepted > 1500)
    }
}
