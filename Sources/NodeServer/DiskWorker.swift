import Consensus
import DequeModule
import Dispatch
import EventLog
import Foundation
import Logging
import NIOCore
import NodeEngine
import NodeStorage
import WireFormat

/// The one thread that touches the log: takes everything queued, makes it durable with one sync, and reports back.
///
/// `@unchecked`: `log` and the sync times are used on the thread alone; what both sides touch is behind the condition.
final class DiskWorker: @unchecked Sendable {
    enum Work {
        case write(LogWrite)
        case load(NodeID, from: LogIndex, maxBytes: Int)
        /// A peer asks for a block.
        case answer(NodeID, Transfer)
        /// A peer sent a block that may be missing.
        case repair(block: [UInt8])
        /// No node has the block whole: combine these copies with the log's own.
        case combine(MissingBlock, [BlockCopy], candidates: Int)
        /// That has given the block.
        case storeCombined(MissingBlock, [UInt8])
        /// The log is no longer needed up to here.
        case release(through: LogIndex)
        /// A spare segment was made, or why it was not.
        case spareEnded(DiskError.Reason?)
        /// Now and then: what the disk says of itself, and a mark when it has been idle for a moment.
        case lookAround
    }

    private struct Inbox {
        var work: Deque<Work> = []
        /// The thread sleeps until it is signalled.
        var isWaiting = false
        /// No more work is taken: the log is to be closed, or the disk has failed.
        var isStopped = false
        var hasEnded = false
    }

    private let combinationQueue = DispatchQueue(label: "jobboard.combination", qos: .utility)
    private let spareQueue = DispatchQueue(label: "jobboard.spare", qos: .utility)
    /// Guards `inbox`.
    private let condition = NSCondition()
    private var inbox = Inbox()
    /// Whoever adds an answer or a block to the work has taken its place here; it is given back when that is done.
    let queues: PeerQueues
    private let log: EventLog
    private let folder: String
    private let logger: Logger
    /// Called on the disk's thread.
    private let report: @Sendable (EngineInput) -> Void
    private let send: @Sendable (NodeID, Transfer) -> Void
    private let failed: @Sendable (NodeError) -> Void

    /// How many blocks were missing when it was last said.
    private var reportedMissing = 0
    /// What was done about damage; what is missing now is looked up when it is asked for.
    private var repairs: RepairStatus
    private var lastIndex: LogIndex
    /// Ordered, and waiting for room on a full disk; what is ordered later waits behind them.
    private var waiting: [LogWrite] = []
    private var reportedRoom = Room.ample
    private var syncTimes: Deque<UInt64> = []
    private var isPreparingSpare = false
    private var nextLookForRoomAt: UInt64 = 0
    private var lastWriteAt: UInt64 = 0
    private var looks = 0
    private var scarcityMessages = LineLimit(atOnce: 1)

    init(
        log: EventLog, lastIndex: LogIndex, repairs: RepairStatus, folder: String, logger: Logger,
        queues: PeerQueues = PeerQueues(), report: @escaping @Sendable (EngineInput) -> Void,
        send: @escaping @Sendable (NodeID, Transfer) -> Void,
        failed: @escaping @Sendable (NodeError) -> Void
    ) {
        self.log = log
        self.lastIndex = lastIndex
        self.repairs = repairs
        self.folder = folder
        self.logger = logger
        self.queues = queues
        self.report = report
        self.send = send
        self.failed = failed
    }

    /// Starts the thread.
    func start() {
        let thread = Thread { self.run() }
        thread.name = "jobboard.disk"
        thread.start()
    }

    /// Adds work; what is added while the disk is busy shares the next sync.
    func add(_ work: [Work]) {
        condition.lock()
        inbox.work.append(contentsOf: work)
        let wasWaiting = inbox.isWaiting
        inbox.isWaiting = false
        condition.unlock()
        // Woken with the lock free: else the thread would wake up only to wait for the lock.
        if wasWaiting { condition.broadcast() }
    }

    /// Finishes what was added and closes the log. Blocks until that is done.
    func stop() {
        condition.lock()
        inbox.isStopped = true
        condition.broadcast()
        while !inbox.hasEnded { condition.wait() }
        condition.unlock()
    }

    private func run() {
        do {
            lookForRoom()
            while let work = nextWork() { try perform(work) }
            // A clean stop leaves no doubt about the last batch.
            try log.markDurable()
        } catch {
            failed(NodeError(.failed, "the disk failed, so this node stops: \(error)"))
        }
        log.close()
        condition.lock()
        inbox.isStopped = true
        inbox.hasEnded = true
        condition.broadcast()
        condition.unlock()
    }

    /// Everything that was added, as soon as there is something; nil when all is done and the worker was stopped.
    private func nextWork() -> Deque<Work>? {
        condition.lock()
        defer { condition.unlock() }
        while inbox.work.isEmpty {
            if inbox.isStopped { return nil }
            inbox.isWaiting = true
            condition.wait()
        }
        inbox.isWaiting = false
        var work: Deque<Work> = []
        swap(&work, &inbox.work)
        return work
    }

    /// Loads see everything that was ordered before them.
    private func perform(_ work: Deque<Work>) throws(EventLogError) {
        var writes: [LogWrite] = []
        for item in work {
            if case .write(let write) = item {
                writes.append(write)
                continue
            }
            try persist(writes)
            writes = []
            do throws(EventLogError) {
                try perform(item)
            } catch {
                try wait(after: error)
            }
        }
        try persist(writes)
    }

    /// Descriptors or memory are short: what failed has changed nothing, and comes again, since peers repeat their questions and
    /// the disk is looked after five times a second. Throws every other error.
    private func wait(after error: EventLogError) throws(EventLogError) {
        guard error.code == .transient else { throw error }
        guard scarcityMessages.take() != nil else { return }
        logger.warning(
            "the log waits: descriptors or memory are short", metadata: [LogKey.reason: "\(error)"])
    }

    private func perform(_ item: Work) throws(EventLogError) {
        switch item {
        case .write: break
        case .load(let peer, let index, let bytes): load(peer, from: index, maxBytes: bytes)
        case .answer(let peer, let question):
            defer { queues.questions.giveBack() }
            if let answer = try BlockDesk.answer(question, from: log) { send(peer, answer) }
            reportMissing()
        case .repair(let block):
            defer { queues.blocks.giveBack(block.count) }
            if try BlockDesk.take(block, into: log) == .taken {
                repairs.mendedBlocks += 1
                reportMissing()
            }
        case .combine(let block, let copies, let candidates): combine(block, copies, candidates)
        case .storeCombined(let block, let bytes): try store(bytes, for: block)
        case .release(let index):
            try log.release(through: index)
            report(.released(log.base.index))
        case .spareEnded(let failure):
            isPreparingSpare = false
            try log.spareEnded(failure)
            lookForRoom()
        case .lookAround: try lookAround()
        }
    }

    /// Trying candidates takes seconds where there are many; the log goes on meanwhile.
    private func combine(_ block: MissingBlock, _ copies: [BlockCopy], _ candidates: Int) {
        let combination = BlockDesk.combination(of: block, copies, with: log, candidates: candidates)
        combinationQueue.async {
            if let bytes = combination.run() {
                self.add([.storeCombined(block, bytes)])
            } else {
                self.report(.blockCombined(block, succeeded: false))
            }
        }
    }

    /// Not from a peer's message, so it counts for no budget of theirs. Without room on the disk the attempt has failed, and the
    /// next comes after a pause.
    private func store(_ bytes: [UInt8], for block: MissingBlock) throws(EventLogError) {
        let taking: BlockDesk.Taking
        do {
            taking = try BlockDesk.take(bytes, into: log)
        } catch {
            report(.blockCombined(block, succeeded: false))
            throw error
        }
        if taking == .taken {
            repairs.mendedBlocks += 1
            reportMissing()
        }
        report(.blockCombined(block, succeeded: taking != .lacksRoom))
    }

    private func persist(_ new: [LogWrite]) throws(EventLogError) {
        waiting += new
        guard !waiting.isEmpty else { return }
        let start = DispatchTime.now().uptimeNanoseconds
        let done: Int
        do {
            done = try log.appendFitting(waiting)
        } catch {
            // The writes keep their place, and are tried again with whatever comes next.
            return try wait(after: error)
        }
        let writes = waiting.prefix(done)
        waiting.removeFirst(done)
        defer { reportRoom() }
        guard let last = writes.last else { return }
        lastWriteAt = DispatchTime.now().uptimeNanoseconds
        syncTimes.append((lastWriteAt - start) / 1000)
        if syncTimes.count > 1000 { syncTimes.removeFirst() }
        for write in writes {
            if let from = write.truncateFrom { lastIndex = from - 1 }
            if let base = write.reset { lastIndex = base.index }
            if let entry = write.entries.last { lastIndex = entry.index }
        }
        report(.persisted(upTo: last.number))
        if log.needsSpare { lookForRoom() }
    }

    /// The node hears how many blocks are missing whenever that changes.
    private func reportMissing() {
        let count = log.missing?.indexes.count ?? 0
        guard count != reportedMissing else { return }
        reportedMissing = count
        report(BlockDesk.missing(in: log))
    }

    private func load(_ peer: NodeID, from index: LogIndex, maxBytes: Int) {
        var entries: [Entry] = []
        do throws(EventLogError) {
            if index <= lastIndex { entries = try log.read(from: index, through: lastIndex, maxBytes: maxBytes) }
        } catch {
            logger.error(
                "entries can't be read for a peer", metadata: [LogKey.peer: "\(peer)", LogKey.reason: "\(error)"])
            // The node asks its peers for whatever of it has rotted.
            try? log.loseUnreadable(from: index, through: lastIndex)
        }
        reportMissing()
        report(.loaded(for: peer, entries: entries))
    }

    /// The next segments are made ahead of need, beside the log's work, as long as the disk has space for them. When that
    /// fails for another reason, the log makes one itself and says why.
    private func lookForRoom() {
        // Where no space is left, looking again at once would only keep the disk busy.
        nextLookForRoomAt = DispatchTime.now().uptimeNanoseconds + 1_000_000_000
        if !isPreparingSpare, log.wantsSpare() { prepareSpare() }
        reportRoom()
    }

    private func prepareSpare() {
        isPreparingSpare = true
        let (folder, options) = (folder, log.options)
        spareQueue.async {
            do throws(DiskError) {
                let disk = try PosixDisk(path: folder, access: .helper)
                try SparePreparer.prepare(on: disk, segmentBytes: options.segmentBytes, atMost: options.readySpares)
                self.add([.spareEnded(nil)])
            } catch {
                self.add([.spareEnded(error.reason)])
            }
        }
    }

    /// The node hears how much room there is whenever that changes.
    private func reportRoom() {
        guard log.room != reportedRoom else { return }
        reportedRoom = log.room
        report(.room(reportedRoom))
    }

    /// Bytes that are read again each time, to find rot while a good copy is left elsewhere.
    private static let scrubBytes = 64 << 10

    /// While writes come it is one look in so many that reads: a step holds them up for about a millisecond.
    private static let busyScrub = 10

    /// One look in so many finds out whether the folder is still in its place: about once a second.
    private static let placeCheck = 5

    private func lookAround() throws(EventLogError) {
        let isIdle = DispatchTime.now().uptimeNanoseconds - lastWriteAt > 100_000_000
        looks += 1
        if looks % Self.placeCheck == 0 { try log.checkPlace() }
        if isIdle || looks % Self.busyScrub == 0 {
            let scrubbed = try log.scrub(maxBytes: Self.scrubBytes)
            repairs.scrubbedBytes += UInt64(scrubbed.bytes)
            if scrubbed.isRoundDone { repairs.scrubRounds += 1 }
            reportMissing()
        }
        if DispatchTime.now().uptimeNanoseconds >= nextLookForRoomAt { lookForRoom() }
        if lastWriteAt > 0, isIdle { try log.markDurable() }
        var now = DiskReport()
        now.rawBytes = log.counters.rawBytes
        now.storedBytes = log.counters.storedBytes
        now.diskBytes = log.counters.diskBytes
        now.syncs = log.counters.syncs
        now.repair = repairs
        now.repair.missingBlocks = UInt64(log.missing?.indexes.count ?? 0)
        let sorted = syncTimes.sorted()
        now.syncP99Microseconds = sorted.isEmpty ? 0 : sorted[(sorted.count - 1) * 99 / 100]
        report(.diskReport(now))
    }
}
