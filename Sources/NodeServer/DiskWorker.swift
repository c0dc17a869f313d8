import Consensus
import DequeModule
import Dispatch
import EventLog
import NodeEngine
import Synchronization

/// The one thread that touches the log: takes everything queued, makes it durable with one sync, and reports back.
///
/// `@unchecked`: `log` and the sync times are used on `queue` alone; what both sides touch is behind the mutex.
final class DiskWorker: @unchecked Sendable {
    enum Work {
        case write(LogWrite)
        case load(NodeID, from: LogIndex, maxBytes: Int)
    }

    private struct Inbox {
        var work: Deque<Work> = []
        var isScheduled = false
        var isStopped = false
    }

    private let queue = DispatchQueue(label: "jobboard.disk", qos: .userInteractive)
    private let spareQueue = DispatchQueue(label: "jobboard.spare", qos: .utility)
    private let inbox = Mutex(Inbox())
    private let log: EventLog
    private let folder: String
    private let segmentBytes: UInt64
    /// Called on the disk's thread.
    private let report: @Sendable (EngineInput) -> Void
    private let failed: @Sendable (NodeError) -> Void

    private var lastIndex: LogIndex
    private var syncTimes: Deque<UInt64> = []
    private var isPreparingSpare = false
    private var lastWriteAt: UInt64 = 0

    init(
        log: EventLog, lastIndex: LogIndex, folder: String, segmentBytes: UInt64,
        report: @escaping @Sendable (EngineInput) -> Void, failed: @escaping @Sendable (NodeError) -> Void
    ) {
        self.log = log
        self.lastIndex = lastIndex
        self.folder = folder
        self.segmentBytes = segmentBytes
        self.report = report
        self.failed = failed
    }

    /// Adds work; what is added while the disk is busy shares the next sync.
    func add(_ work: [Work]) {
        let mustSchedule = inbox.withLock { inbox in
            inbox.work.append(contentsOf: work)
            guard !inbox.isScheduled, !inbox.isStopped else { return false }
            inbox.isScheduled = true
            return true
        }
        if mustSchedule { queue.async { self.drain() } }
    }

    /// Finishes what is queued and closes the log. Blocks until that is done.
    func stop() {
        queue.sync {
            drain()
            inbox.withLock { $0.isStopped = true }
            // A clean stop leaves no doubt about the last batch.
            try? log.markDurable()
            log.close()
        }
    }

    private func drain() {
        while true {
            let work: Deque<Work> = inbox.withLock { inbox in
                guard !inbox.work.isEmpty, !inbox.isStopped else {
                    inbox.isScheduled = false
                    return []
                }
                let all = inbox.work
                inbox.work = []
                return all
            }
            if work.isEmpty { return }
            do {
                try perform(work)
            } catch {
                inbox.withLock { $0.isStopped = true }
                failed(NodeError(.failed, "the disk failed, so this node stops: \(error)"))
                return
            }
        }
    }

    /// Loads see everything that was ordered before them.
    private func perform(_ work: Deque<Work>) throws(EventLogError) {
        var writes: [LogWrite] = []
        for item in work {
            switch item {
            case .write(let write): writes.append(write)
            case .load(let peer, let index, let bytes):
                try persist(writes)
                writes = []
                load(peer, from: index, maxBytes: bytes)
            }
        }
        try persist(writes)
    }

    private func persist(_ writes: [LogWrite]) throws(EventLogError) {
        guard let last = writes.last else { return }
        let start = DispatchTime.now().uptimeNanoseconds
        try log.append(writes)
        lastWriteAt = DispatchTime.now().uptimeNanoseconds
        syncTimes.append((lastWriteAt - start) / 1000)
        if syncTimes.count > 1000 { syncTimes.removeFirst() }
        for write in writes {
            if let from = write.truncateFrom { lastIndex = from - 1 }
            if let entry = write.entries.last { lastIndex = entry.index }
        }
        report(.persisted(upTo: last.number))
        if log.needsSpare { prepareSpare() }
    }

    private func load(_ peer: NodeID, from index: LogIndex, maxBytes: Int) {
        let entries = index <= lastIndex ? try? log.read(from: index, through: lastIndex, maxBytes: maxBytes) : []
        report(.loaded(for: peer, entries: entries ?? []))
    }

    /// The next segment is made ahead of need, beside the log's work. When that fails, the log makes one itself and says why.
    private func prepareSpare() {
        guard !isPreparingSpare else { return }
        isPreparingSpare = true
        let (folder, bytes) = (folder, segmentBytes)
        spareQueue.async {
            if let disk = try? PosixDisk(path: folder, access: .helper) {
                try? SparePreparer.prepare(on: disk, segmentBytes: bytes)
            }
            self.queue.async {
                try? self.log.adoptSpares()
                // Where no space was left the next try waits for the next segment.
                self.isPreparingSpare = self.log.needsSpare
            }
        }
    }

    /// Called now and then: what the disk says of itself, and a mark when it has been idle for a moment.
    func tick() {
        queue.async { [self] in
            guard !inbox.withLock({ $0.isStopped }) else { return }
            if lastWriteAt > 0, DispatchTime.now().uptimeNanoseconds - lastWriteAt > 100_000_000 {
                do {
                    try log.markDurable()
                } catch {
                    inbox.withLock { $0.isStopped = true }
                    failed(NodeError(.failed, "the disk failed, so this node stops: \(error)"))
                    return
                }
            }
            var now = DiskReport()
            now.rawBytes = log.counters.rawBytes
            now.storedBytes = log.counters.storedBytes
            now.diskBytes = log.counters.diskBytes
            now.syncs = log.counters.syncs
            let sorted = syncTimes.sorted()
            now.syncP99Microseconds = sorted.isEmpty ? 0 : sorted[(sorted.count - 1) * 99 / 100]
            report(.diskReport(now))
        }
    }
}
