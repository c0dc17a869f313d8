import Consensus
import Jobboard
import WireFormat

/// Makes whole conversations of a client: greeting, session, and requests of all kinds whose fields are sensible, extreme or
/// senseless. The same dice give the same conversation.
struct ConversationFuzzer {
    private var dice: SplitMix64
    private let cluster: String
    private static let words = ["", "a", "default", "nobody's", "\u{0}", "ü\u{301}\u{202E}", "name", "strangers"]

    init(cluster: String, dice: SplitMix64) {
        self.cluster = cluster
        self.dice = dice
    }

    /// The bytes of a conversation as a client would send it.
    mutating func conversation() -> [UInt8] {
        var bytes = StrangerSpeech.hello(cluster: chance(0.9) ? cluster : text())
        ClientCodec.append(StrangerSpeech.openSession(&dice), number: 1, to: &bytes)
        // Guessed, since the answer is not waited for.
        let session = number()
        for place in 0..<UInt64.random(in: 1...12, using: &dice) {
            ClientCodec.append(request(session, place + 1), number: chance(0.9) ? place + 2 : number(), to: &bytes)
        }
        return bytes
    }

    /// A conversation that is wrong somewhere: in its bytes, its lengths or its end.
    mutating func hostileConversation() -> [UInt8] {
        var bytes = conversation()
        switch UInt8.random(in: 0...6, using: &dice) {
        case 0:
            return StrangerBytes.random(Int.random(in: 1...4096, using: &dice), &dice)
        case 1:
            // The beginning is right.
            let start = Int.random(in: 0..<bytes.count, using: &dice)
            return bytes[..<start] + StrangerBytes.random(bytes.count - start, &dice)
        case 2:
            corruptLength(&bytes)
        case 3:
            bytes.removeLast(Int.random(in: 1..<bytes.count, using: &dice))
        case 4:
            break
        default:
            // The greeting stays, so that what follows is looked at.
            let greeting = StrangerSpeech.hello(cluster: cluster)
            return greeting + StrangerBytes.mutated(Array(bytes.dropFirst(greeting.count)), &dice)
        }
        return bytes
    }

    /// Changes the length of one frame.
    private mutating func corruptLength(_ bytes: inout [UInt8]) {
        var places: [Int] = []
        var place = 0
        while place + Framing.prefixLength <= bytes.count {
            places.append(place)
            let length = bytes[place..<place + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
            place += Framing.prefixLength + length
        }
        let victim = places.randomElement(using: &dice) ?? 0
        let lengths: [UInt32] = [0, 1, 0x00ff_ffff, 0x7fff_ffff, 0xffff_ffff, UInt32(Framing.maximumClientFrame)]
        let length = lengths.randomElement(using: &dice) ?? 0
        for byte in 0..<4 { bytes[victim + byte] = UInt8(truncatingIfNeeded: length >> UInt32(8 * byte)) }
    }

    private mutating func request(_ session: UInt64, _ sequence: UInt64) -> Request {
        switch UInt8.random(in: 0...15, using: &dice) {
        case 0: return .read(.job(job()), fresh: chance(0.5))
        case 1: return .read(.owner(job()), fresh: chance(0.5))
        case 2: return .read(.jobs(jobsQuery()), fresh: chance(0.5))
        case 3: return .read(.count(board: text(), state: chance(0.5) ? .claimed : nil), fresh: chance(0.5))
        case 4: return .read(.status, fresh: chance(0.5))
        case 5: return .waitForClaimable(board: text(), milliseconds: short())
        case 6: return .waitForEnd(job: job(), milliseconds: short())
        case 7: return .watch(board: chance(0.5) ? text() : nil, from: chance(0.5) ? number() : nil)
        case 8: return .cancel(number())
        default:
            return StrangerSpeech.command(
                command(), session: chance(0.7) ? session : number(), sequence: chance(0.8) ? sequence : number(),
                acknowledgedBelow: chance(0.8) ? 1 : number(), waitMilliseconds: chance(0.5) ? 0 : short())
        }
    }

    private mutating func jobsQuery() -> JobsQuery {
        var query = JobsQuery(board: text(), limit: short())
        if chance(0.3) { query.states = [.unclaimed, .complete] }
        if chance(0.3) { query.owner = text() }
        if chance(0.3) { query.name = text() }
        if chance(0.3) { query.cursor = JobsQuery.Cursor(priority: .low, position: number()) }
        return query
    }

    private mutating func command() -> Command {
        let lease = chance(0.5) ? nil : short()
        switch UInt8.random(in: 0...6, using: &dice) {
        case 0: return .closeSession
        case 1: return .post(board: text(), jobs: (0..<Int.random(in: 0...8, using: &dice)).map { _ in newJob() })
        case 2: return .claim(job: job(), who: text(), leaseMilliseconds: lease)
        case 3:
            return .claimNext(
                ClaimNext(
                    board: text(), who: text(), count: short(), leaseMilliseconds: lease,
                    priorities: chance(0.5) ? [] : [.high, .low], name: chance(0.5) ? nil : text()))
        case 4: return .extend(holder(), leaseMilliseconds: lease)
        case 5: return .abandon(holder(), delayMilliseconds: chance(0.5) ? nil : number(), failure: chance(0.5) ? nil : text())
        default:
            return .consume(
                holder(), result: chance(0.5) ? nil : Array(text().utf8), followUps: chance(0.5) ? [] : [newJob(), newJob()])
        }
    }

    private mutating func holder() -> Holder {
        Holder(job: job(), who: text(), fence: chance(0.5) ? nil : number())
    }

    private mutating func newJob() -> NewJob {
        var job = NewJob(id: job(), name: text(), details: chance(0.5) ? [] : Array("{\"n\":1}".utf8))
        if chance(0.2) { job.details = StrangerBytes.random(Int.random(in: 1...2000, using: &dice), &dice) }
        if chance(0.2) { job.key = text() }
        if chance(0.2) { job.delayMilliseconds = number() }
        if chance(0.2) { job.expiresAfterMilliseconds = number() }
        if chance(0.2) { job.leaseMilliseconds = short() }
        if chance(0.2) { job.maxFailures = short() }
        if chance(0.2) { job.notBefore = Timestamp(milliseconds: Int64(bitPattern: number())) }
        if chance(0.2) { job.book = Book(uuid: job.id, name: text()) }
        return job
    }

    private mutating func job() -> JobID {
        chance(0.2) ? JobID(high: 0, low: 0) : JobID.random(using: &dice)
    }

    /// Never the honest client's board: what a stranger may do there is no attack, since any client may use any board.
    private mutating func text() -> String {
        if chance(0.1) { return String(repeating: "x", count: Int.random(in: 100...70_000, using: &dice)) }
        return Self.words.randomElement(using: &dice) ?? ""
    }

    private mutating func number() -> UInt64 {
        let edges: [UInt64] = [0, 1, 2, 127, 128, 1 << 32, 1 << 63, .max - 1, .max]
        return chance(0.5) ? edges.randomElement(using: &dice) ?? 0 : UInt64.random(in: 0...10_000, using: &dice)
    }

    private mutating func short() -> UInt32 {
        chance(0.5) ? UInt32.random(in: 0...2000, using: &dice) : [0, 1, .max].randomElement(using: &dice) ?? 0
    }

    private mutating func chance(_ share: Double) -> Bool {
        Double.random(in: 0..<1, using: &dice) < share
    }
}
