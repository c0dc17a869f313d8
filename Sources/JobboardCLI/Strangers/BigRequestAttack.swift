import Consensus
import Jobboard
import WireFormat

/// Requests as large as a frame may be: lists of states and of priorities, names, and texts of megabytes.
final class BigRequestAttack: Attack {
    private static let together = 11

    private(set) var tally = AttackTally()
    private let crowd: AttackCrowd
    private var pace: AttackPace
    private var round = 0

    init(_ scene: AttackScene, _ dice: SplitMix64) {
        crowd = AttackCrowd(scene, size: Self.together, source: 50)
        pace = AttackPace(1, scene)
    }

    func step() {
        crowd.refill(&tally)
        for member in crowd.members { member.read(&tally) }
        guard crowd.members.count == Self.together, pace.due() > 0 else { return }
        round += 1
        // All at once, so that what fits alone has to fit together.
        for (place, member) in crowd.members.enumerated() where !member.connection.hasUnsent {
            member.send(frame((round + place / 6) % 4), &tally)
        }
    }

    private func frame(_ kind: Int) -> [UInt8] {
        switch kind {
        case 0: Self.states(5 << 20)
        case 1: Self.priorities(5 << 20)
        case 2:
            request(.read(.count(board: String(repeating: "b", count: 5 << 20), state: nil), fresh: true))
        default:
            request(
                StrangerSpeech.command(
                    .abandon(
                        Holder(job: JobID(high: 1, low: 1), who: "stranger"), delayMilliseconds: nil,
                        failure: String(repeating: "f", count: 5 << 20)),
                    session: 1, sequence: 1))
        }
    }

    private func request(_ request: Request) -> [UInt8] {
        var bytes: [UInt8] = []
        ClientCodec.append(request, number: 1, to: &bytes)
        return bytes
    }

    /// A listing with so many states, as a list that says its own length. Where the format knows a set instead, these are
    /// bytes that don't fit it.
    static func states(_ count: Int) -> [UInt8] {
        long(request: .read(.jobs(JobsQuery(board: ProducerAttack.board)), fresh: false), at: ProducerAttack.board, count)
    }

    /// A claim with so many priorities, in the same way.
    static func priorities(_ count: Int) -> [UInt8] {
        let claim = ClaimNext(board: ProducerAttack.board, who: ProducerAttack.board)
        return long(
            request: StrangerSpeech.command(.claimNext(claim), session: 1, sequence: 1, waitMilliseconds: 1000),
            at: ProducerAttack.board, count)
    }

    /// Puts a list of `count` zeros, with its length, in place of the empty list that follows the text. The format's own
    /// encoder can't be made to write such a thing once lists are bounded.
    private static func long(request: Request, at text: String, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        ClientCodec.append(request, number: 1, to: &bytes)
        var body = Array(bytes.dropFirst(Framing.prefixLength))
        let pattern = Array(text.utf8)
        guard let place = body.indices.last(where: { body[$0...].starts(with: pattern) }) else { return bytes }
        var list = ByteWriter()
        list.varint(UInt64(count))
        list.raw([UInt8](repeating: 0, count: count))
        if let zero = body[(place + pattern.count)...].firstIndex(of: 0) { body.replaceSubrange(zero...zero, with: list.bytes) }
        var frame = ByteWriter()
        let start = frame.beginFrame()
        frame.raw(body)
        frame.endFrame(start)
        return frame.bytes
    }
}
