import Consensus
import DequeModule
import Jobboard
import WireFormat

/// Something that must not be answered before this node knows that its state is recent enough.
struct Read: Sendable {
    enum Kind: Sendable {
        case query(Query)
        /// The answer is known; it only has to be confirmed that this node still leads.
        case settled(Outcome)
        /// The same for a repeated request, once an earlier copy can't be under way any more.
        indirect case repeated(SettledRepeat)
        case park(ParkedWaits.Kind, deadline: UInt64)
        case watch(board: String?, from: UInt64?)
    }

    var client: ClientReference
    var kind: Kind
    /// Never used twice, while clients may use a request's number again.
    var ticket: UInt64 = 0
    /// About what it takes in memory.
    var bytes = 0
}

extension Read {
    /// The last batch that it waits for.
    fileprivate var batch: UInt64 {
        if case .repeated(let settled) = kind { settled.after } else { 0 }
    }
}

/// All reads from their arrival to their answer: those that gather for the next question to the replica, those that a
/// question is under way for, those that wait for the state to catch up, and those whose answers wait for a turn with bytes
/// left or for their client to read. Bounded over all of it in number and bytes, and large ones for each connection.
struct PendingReads: Sendable {
    struct Limits {
        var count: Int
        var bytes: Int
        var largePerConnection: Int
    }

    private var gathered: [Read] = []
    private var rounds: [UInt64: [Read]] = [:]
    private var nextRound: UInt64 = 1
    /// Confirmed, and waiting for the state to catch up with an index.
    private var behind: Deque<(index: LogIndex, reads: [Read])> = []
    /// Those whose answers can be made.
    private(set) var answers = ConnectionRing<Read>()
    /// Confirmed, and waiting for batches that may hold earlier copies.
    private var repeated: [Read] = []

    /// The ticket of each read that is still wanted. Only looked up, never walked.
    private var open: [ClientReference: UInt64] = [:]
    /// Listings, by connection. Only looked up, never walked.
    private var large: [UInt64: Int] = [:]
    private var nextTicket: UInt64 = 1
    private(set) var count = 0
    private(set) var byteCount = 0

    var hasGathered: Bool { !gathered.isEmpty }

    /// Takes a read in, or gives the budget that it would exceed. A second one with the number of one that is open is dropped: a number
    /// is answered once.
    mutating func add(_ read: Read, fresh: Bool, _ limits: Limits) -> Budget? {
        var read = read
        read.bytes = read.kind.bytes
        guard count < limits.count else { return .pendingReads }
        guard byteCount + read.bytes <= limits.bytes else { return .pendingReadBytes }
        guard !read.kind.isLarge || large[read.client.connection, default: 0] < limits.largePerConnection else {
            return .listingsPerConnection
        }
        read.ticket = nextTicket
        nextTicket += 1
        if let earlier = open.updateValue(read.ticket, forKey: read.client) {
            open[read.client] = earlier
            return nil
        }
        count += 1
        byteCount += read.bytes
        if read.kind.isLarge { large[read.client.connection, default: 0] += 1 }
        if fresh { gathered.append(read) } else { answers.append(read, of: read.client.connection) }
        return nil
    }

    /// It is not answered when it comes out.
    mutating func cancel(_ client: ClientReference) { open[client] = nil }

    mutating func close(_ connection: UInt64) {
        for read in answers.close(connection) { _ = finish(read) }
    }

    /// All that has gathered shares one question to the replica.
    mutating func startRound() -> UInt64? {
        guard !gathered.isEmpty else { return nil }
        let number = nextRound
        nextRound += 1
        rounds[number] = gathered
        gathered = []
        return number
    }

    mutating func endRound(_ number: UInt64) -> [Read]? { rounds.removeValue(forKey: number) }

    mutating func waitForState(at index: LogIndex, _ reads: [Read]) { behind.append((index, reads)) }

    var isBehind: Bool { !behind.isEmpty }

    mutating func caughtUp(with index: LogIndex) -> [Read] {
        guard behind.contains(where: { $0.index <= index }) else { return [] }
        let ready = behind.filter { $0.index <= index }.flatMap(\.reads)
        behind.removeAll { $0.index <= index }
        return ready
    }

    mutating func waitForBatch(_ read: Read) { repeated.append(read) }

    /// Those that wait for no batch after this one.
    mutating func repeatedReady(after batch: UInt64) -> [Read] {
        guard !repeated.isEmpty else { return [] }
        let ready = repeated.filter { $0.batch <= batch }
        repeated.removeAll { $0.batch <= batch }
        return ready
    }

    /// All that wait for batches: they will not be done here. Each is to be finished.
    mutating func endRepeated() -> [Read] {
        defer { repeated = [] }
        return repeated
    }

    /// The answer has to wait; the read is still held.
    mutating func answerLater(_ read: Read) { answers.append(read, of: read.client.connection) }

    mutating func nextAnswer(isBlocked: (UInt64) -> Bool) -> Read? { answers.next(isBlocked: isBlocked) }

    mutating func unblocked(_ connection: UInt64) { answers.unblocked(connection) }

    /// A read is held no longer; true when it is to be answered.
    mutating func finish(_ read: Read) -> Bool {
        count -= 1
        byteCount -= read.bytes
        if read.kind.isLarge {
            large[read.client.connection]! -= 1
            if large[read.client.connection] == 0 { large[read.client.connection] = nil }
        }
        guard open[read.client] == read.ticket else { return false }
        open[read.client] = nil
        return true
    }

    func isOpen(_ read: Read) -> Bool { open[read.client] == read.ticket }

    func checkInvariants(applied: LogIndex) {
        let held = gathered + rounds.values.joined() + behind.flatMap(\.reads) + answers.all + repeated
        precondition(held.count == count, "\(held.count) reads are held, not \(count)")
        precondition(held.reduce(0) { $0 + $1.bytes } == byteCount, "reads take not \(byteCount) bytes")
        precondition(held.count { $0.kind.isLarge } == large.values.reduce(0, +), "the count of listings differs from a recount")
        precondition(open.count <= count, "more reads are wanted than held")
        for group in behind { precondition(group.index > applied, "a read waits for entry \(group.index), which is there") }
    }
}

extension Read.Kind {
    /// Its answer may be as large as an answer can be, and its making looks at many jobs.
    var isLarge: Bool {
        if case .query(.jobs) = self { true } else { false }
    }

    /// About what it takes in memory. An outcome that was made again from what the session table kept holds jobs of its own: a
    /// claim of 1,024 of them, asked for again in 30 bytes, takes hundreds of kilobytes.
    var bytes: Int {
        switch self {
        case .query(.jobs(let query)):
            256 + query.board.utf8.count + (query.owner?.utf8.count ?? 0) + (query.name?.utf8.count ?? 0)
        case .query(.count(let board, _)): 256 + board.utf8.count
        case .query: 256
        case .settled(let outcome): max(256, outcome.answerBytes)
        case .repeated(let settled): max(1024, settled.outcome.answerBytes)
        case .park(let kind, _): ParkedWaits.bytes(of: kind)
        case .watch(let board, _): Watches.bytes(of: board)
        }
    }
}
