import Consensus
import EventLog
import Testing

/// SplitMix64 (Steele, Lea, Flood 2014): a seed replays a run.
struct Luck: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
    /// What LZ4 can shorten.
    mutating func text(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(97 + below(3)) } }
}

let me = LogIdentity(cluster: "test", node: 1)
let tag = BlockCodec.clusterTag("test")
let small = EventLogOptions(segmentBytes: 16 << 10)

func entry(after last: EntrySummary, term: Term = 1, payload: [UInt8]) -> Entry {
    let draft = EntryDraft(
        kind: .commands, term: term, index: last.index + 1, time: last.time + 7, firstCommand: last.nextCommand, commandCount: 2,
        parent: last.digest, payload: payload)
    return BlockCodec.seal(draft, cluster: tag)
}

/// Entries in a row, each with a payload of its own.
func chain(after start: EntrySummary = .beforeFirst, _ count: Int, term: Term = 1, bytes: Int = 20) -> [Entry] {
    var last = start
    return (0..<count).map { place in
        let next = entry(after: last, term: term, payload: [UInt8](repeating: UInt8(truncatingIfNeeded: place + 1), count: bytes))
        last = next.summary
        return next
    }
}

func write(_ entries: [Entry] = [], state: HardState? = nil, from: LogIndex? = nil, commit: LogIndex = 0) -> LogWrite {
    LogWrite(number: 1, hardState: state, truncateFrom: from, entries: entries, commit: commit)
}

func open(_ disk: any Disk, options: EventLogOptions = small) throws(EventLogError) -> (EventLog, EventLog.Recovery) {
    try EventLog.open(on: disk, identity: me, options: options)
}

func code(_ body: () throws -> Void) -> EventLogError.Code? {
    do { try body() } catch { return (error as? EventLogError)?.code }
    return nil
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

extension Disk {
    /// Overwrites a part of a file, durably, behind the log's back.
    func overwrite(_ name: String, at offset: UInt64, _ bytes: [UInt8]) throws {
        let file = try open(name, create: false)
        defer { close(file) }
        try bytes.withUnsafeBytes { try write(file, at: offset, $0) }
        try sync(file)
    }
}

extension SimulatedDisk {
    /// Leaves the first bytes of a file alone.
    func shorten(_ name: String, to count: Int) throws {
        let bytes = Array((contents(name) ?? [])[..<count])
        try remove(name)
        close(try open(name, create: true))
        try overwrite(name, at: 0, bytes)
        try syncFolder()
    }

    func wipe(_ name: String) throws {
        try overwrite(name, at: 0, [UInt8](repeating: 0, count: contents(name)?.count ?? 0))
    }
}

/// Closes every hole with blocks that others have, as a node would: asks for what is wanted, until nothing is.
func heal(_ log: EventLog, from entries: [Entry]) throws {
    var rounds = 0
    while let missing = log.missing {
        rounds += 1
        let found = missing.wanted.compactMap { wanted in entries.first { $0.digest == wanted.digest } }
        try #require(!found.isEmpty && rounds <= entries.count, "nobody has \(missing.wanted)")
        try #require(try !log.repair(with: found).isEmpty)
    }
}
