import Consensus
import EventLog

/// One log on a simulated disk, without a node: written to, cut off by power losses, opened again, and at last rotten.
///
/// What a cluster would seldom come to, thousands of seeds a minute do. After each opening everything that was
/// acknowledged must be there and readable; once a bit has turned, the log opens with holes that heal, or refuses and changes
/// nothing.
package struct LogTrial {
    private static let cluster = "trial"
    private static let segmentBytes: UInt64 = 16 << 10

    private let disk = SimulatedDisk()
    private var random: SplitMix64
    private var truth = DurableTruth()
    private var log: EventLog
    /// What the log holds, as its writer sees it.
    private var entries: [Entry] = []
    /// Every block that was ever ordered; only looked up, never walked.
    private var blocks: [Digest: [UInt8]] = [:]
    private var hardState = HardState(term: 1, vote: nil)
    private var writes: UInt64 = 0

    /// Throws what was broken.
    package static func run(seed: UInt64) throws {
        var trial = try LogTrial(seed: seed)
        for _ in 0..<2 + trial.random.below(8) {
            try trial.append()
            if trial.random.below(3) == 0 { try trial.losePower() }
        }
        try trial.rot()
    }

    private init(seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        log = try Self.open(disk).0
        try append([LogWrite(number: 0, hardState: hardState, truncateFrom: nil, entries: [], commit: 0)])
    }

    private static func open(_ disk: SimulatedDisk) throws -> (EventLog, EventLog.Recovery) {
        try EventLog.open(
            on: disk, identity: LogIdentity(cluster: cluster, node: 1), options: EventLogOptions(segmentBytes: segmentBytes))
    }

    // MARK: Writing

    private mutating func append() throws {
        try append((0..<1 + random.below(4)).map { _ in nextWrite() })
        if random.below(4) == 0 { try log.markDurable() }
    }

    private mutating func append(_ new: [LogWrite]) throws {
        try log.append(new)
        truth.apply(new)
    }

    private mutating func nextWrite() -> LogWrite {
        writes += 1
        var write = LogWrite(number: writes, hardState: nil, truncateFrom: nil, entries: [], commit: 0)
        if random.below(3) == 0 {
            hardState = HardState(term: hardState.term + 1, vote: NodeID(1 + random.below(3)))
            write.hardState = hardState
        }
        if !entries.isEmpty, random.below(6) == 0 {
            let kept = Int(random.below(UInt64(entries.count)))
            entries.removeSubrange(kept...)
            write.truncateFrom = LogIndex(kept + 1)
        }
        for _ in 0..<random.below(3) { write.entries.append(nextEntry()) }
        return write
    }

    private mutating func nextEntry() -> Entry {
        let last = entries.last?.summary
        let payload = (0..<random.below(2000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let draft = EntryDraft(
            kind: .commands, term: hardState.term, index: LogIndex(entries.count + 1), time: writes,
            firstCommand: last?.nextCommand ?? 0, commandCount: 1, parent: last?.digest ?? .zero, payload: payload)
        entries.append(BlockCodec.seal(draft, cluster: BlockCodec.clusterTag(Self.cluster)))
        let entry = entries[entries.count - 1]
        blocks[entry.digest] = entry.block
        return entry
    }

    // MARK: Power

    /// The power fails at rest, or at any call of a last append.
    private mutating func losePower() throws {
        let last = (0..<random.below(4)).map { _ in nextWrite() }
        if !last.isEmpty {
            truth.attempt(last)
            disk.callsUntilPowerLoss = 1 + Int(random.below(6))
            do {
                try log.append(last)
                truth.apply(last)
            } catch {}
        }
        disk.crash(using: &random)
        let (opened, recovery) = try Self.open(disk)
        try truth.recover(recovery.hardState, behind: recovery.base.index, recovery.entries, node: NodeID(1))
        log = opened
        hardState = recovery.hardState
        try readAll(recovery.entries)
    }

    /// Every entry that recovery tells of can be read, and is what its summary says.
    private mutating func readAll(_ summaries: [EntrySummary]) throws {
        entries = []
        while entries.count < summaries.count {
            entries += try log.read(from: LogIndex(entries.count + 1), through: LogIndex(summaries.count), maxBytes: 64 << 10)
        }
        for (entry, summary) in zip(entries, summaries) {
            guard entry.summary == summary, entry.block == blocks[entry.digest] else {
                throw Violation("entry \(summary.index) was recovered, and is not what was written")
            }
        }
    }

    // MARK: Rot

    /// One bit turns in what is acknowledged and known to be, or the superblock is lost.
    private mutating func rot() throws {
        // Else the superblock knows what it was told when it had to be, and no more.
        if random.below(2) == 0 { try log.markDurable() }
        if random.below(8) == 0 {
            try disk.remove("superblock")
            try disk.syncFolder()
        } else {
            try turnBit()
        }
        let written = disk.counters.bytesWritten
        do {
            var (opened, recovery) = try Self.open(disk)
            if recovery.damage != nil { (opened, recovery) = try heal(opened, recovery) }
            try truth.recover(recovery.hardState, behind: recovery.base.index, recovery.entries, node: NodeID(1))
            log = opened
            try readAll(recovery.entries)
        } catch let error as EventLogError where error.code == .damaged {
            guard disk.counters.bytesWritten == written else {
                throw Violation("the log refused to open, and had changed what was there")
            }
        }
    }

    /// Closes every hole with the block that it asks for, as peers would, and opens the log once more.
    private func heal(
        _ opened: EventLog, _ recovery: EventLog.Recovery
    ) throws -> (EventLog, EventLog.Recovery) {
        guard !recovery.isEndLost, !recovery.isHardStateLost else {
            throw Violation("one rotten place lost what is written twice: \(recovery.damage?.description ?? "")")
        }
        // One at a time: each may show that what had been presumed below it, and so what is wanted there, is another entry.
        while let wanted = opened.missing?.wanted.first {
            guard let block = blocks[wanted.digest] else {
                throw Violation("the log asks for entry \(wanted.index) by a digest that was never written")
            }
            let entry = try BlockCodec.parse(block, cluster: opened.cluster)
            guard try opened.repair(with: Self.forgeries(of: entry, cluster: opened.cluster)).isEmpty else {
                throw Violation("the log asks for entry \(wanted.index) and takes what is not it")
            }
            guard try opened.repair(with: [entry]) == [wanted.index] else {
                throw Violation("the log asks for entry \(wanted.index) and does not take it")
            }
        }
        opened.close()
        let (again, healed) = try Self.open(disk)
        if let damage = healed.damage { throw Violation("a healed log is still damaged: \(damage)") }
        return (again, healed)
    }

    /// What a peer may give in place of an entry: the same with a bit turned, and another one for the same index.
    private static func forgeries(of entry: Entry, cluster: UInt64) -> [Entry] {
        var block = entry.block
        block[block.count - 1] ^= 1
        let rotten = Entry(
            kind: entry.kind, term: entry.term, index: entry.index, time: entry.time, firstCommand: entry.firstCommand,
            commandCount: entry.commandCount, parent: entry.parent, digest: entry.digest, block: block)
        let draft = EntryDraft(
            kind: entry.kind, term: entry.term, index: entry.index, time: entry.time + 1, firstCommand: entry.firstCommand,
            commandCount: entry.commandCount, parent: entry.parent, payload: [])
        return [rotten, BlockCodec.seal(draft, cluster: cluster)]
    }

    private mutating func turnBit() throws {
        let files = log.covered.filter { !$0.bytes.isEmpty }
        guard !files.isEmpty else { return }
        let (name, bytes) = files[Int(random.below(UInt64(files.count)))]
        // Often in the last page written, where little lies behind that would tell.
        let used = min(bytes.upperBound, UInt64(disk.contents(name)!.lastIndex { $0 != 0 }! + 1))
        let place = random.below(2) == 0 ? random.below(used) : used - 1 - random.below(min(used, 4096))
        disk.flipBit(Int(random.below(8)), ofByte: place, in: name)
    }
}
