import NodeEngine
import Testing

@testable import Jobboard

@Suite struct SnapshotTests {
    /// One state is only fed; the other one is saved and read again and again meanwhile. Nobody can tell them apart.
    @Test(arguments: [21, 22, 23] as [UInt64])
    func `a state goes on from its bytes as if nothing had happened`(seed: UInt64) throws {
        var maker = BlockMaker(seed: seed)
        var cuts = SplitMix64(state: seed)
        var fed = SnapshotDesk()
        var saved = SnapshotDesk()
        var kinds: Set<EventKind> = []
        for step in 0..<1500 {
            let calls = try maker.block(for: fed.state.machine)
            let (outcomes, events) = fed.apply(calls, at: maker.time)
            let others = saved.apply(calls, at: maker.time)
            #expect(others.outcomes == outcomes && others.events == events, "step \(step): \(calls)")
            #expect(saved.state.machine.nextDeadline == fed.state.machine.nextDeadline, "step \(step): \(calls)")
            #expect(saved.state.machine.fingerprint() == fed.state.machine.fingerprint(), "step \(step): \(calls)")
            maker.took(outcomes)
            kinds.formUnion(events.map(\.kind))
            guard step % 23 == 0 else { continue }
            let bytes = saved.bytes
            #expect(bytes == fed.bytes, "step \(step)")
            saved.state = try SnapshotDesk.read(bytes, cut: &cuts)
            saved.state.machine.checkInvariants()
            #expect(saved.bytes == bytes && saved.state.index == fed.state.index, "step \(step)")
            let oldest = fed.state.history.oldest
            #expect(saved.state.history.oldest == oldest)
            #expect(saved.state.history.events(from: oldest) == fed.state.history.events(from: oldest))
            #expect(try RandomCommandTests.contents(saved.state.machine) == RandomCommandTests.contents(fed.state.machine))
        }
        #expect(kinds == [.posted, .claimed, .extended, .abandoned, .failed, .leaseExpired, .consumed, .trashed])
        #expect(fed.state.history.oldest > 1)
    }

    @Test func `a copy is saved as it was, whatever becomes of the original`() throws {
        var maker = BlockMaker(seed: 31)
        var desk = SnapshotDesk()
        for _ in 0..<200 { maker.took(desk.apply(try maker.block(for: desk.state.machine), at: maker.time).outcomes) }
        let bytes = desk.bytes
        let copy = desk.state
        for _ in 0..<200 { maker.took(desk.apply(try maker.block(for: desk.state.machine), at: maker.time).outcomes) }
        #expect(SnapshotDesk.bytes(copy) == bytes && desk.bytes != bytes)
    }

    @Test func `long states come in pieces of one length, and may be cut anywhere`() throws {
        var desk = SnapshotDesk(limits: BoardLimits())
        let open = SessionCommand(
            session: 0, sequence: 0, acknowledgedBelow: 0, command: .openSession(sessionKey(1), ttlMilliseconds: 60_000))
        _ = desk.apply([open], at: 1)
        for number in 1...40 as ClosedRange<UInt64> {
            var job = newJob(number)
            job.details = [UInt8](repeating: UInt8(ascii: "7"), count: 20_000)
            let post = Command.post(board: "b", jobs: [job])
            _ = desk.apply([SessionCommand(session: 1, sequence: number, acknowledgedBelow: 1, command: post)], at: 2)
        }
        var encoder = SnapshotEncoder(desk.state)
        var lengths: [Int] = []
        while let piece = encoder.next() { lengths.append(piece.count) }
        #expect(encoder.next() == nil)
        #expect(lengths.dropLast().allSatisfy { $0 == SnapshotEncoder.pieceBytes } && lengths.count == 4)
        // The kept outcomes have no details.
        #expect(lengths.reduce(0, +) < 40 * 20_500)
        var cuts = SplitMix64(state: 1)
        for longest in [3, 1000, 1 << 20] {
            let read = try SnapshotDesk.read(desk.bytes, limits: BoardLimits(), cut: &cuts, longest: longest)
            #expect(SnapshotDesk.bytes(read) == desk.bytes)
        }
    }

    @Test func `a node that remembers fewer events keeps the last ones, and one that remembers more keeps all`() throws {
        var maker = BlockMaker(seed: 41)
        var cuts = SplitMix64(state: 41)
        var desk = SnapshotDesk(rememberedEvents: 100)
        while desk.state.machine.lastPosition < 300 {
            maker.took(desk.apply(try maker.block(for: desk.state.machine), at: maker.time).outcomes)
        }
        let next = desk.state.history.nextPosition
        for (remembered, kept) in [(1, 1), (99, 99), (100, 100), (1000, 100)] as [(Int, UInt64)] {
            let read = try SnapshotDesk.read(desk.bytes, rememberedEvents: remembered, cut: &cuts)
            #expect(read.history.oldest == next - kept && read.history.nextPosition == next)
            #expect(read.history.events(from: next - kept) == desk.state.history.events(from: next - kept))
        }
    }

    /// The format as bytes on paper. A change here makes snapshots of earlier versions unreadable: it needs a new version.
    @Test func `the bytes are the ones written down`() throws {
        var desk = SnapshotDesk(limits: BoardLimits())
        func call(_ sequence: UInt64, _ command: Command) -> SessionCommand {
            SessionCommand(
                session: sequence == 0 ? 0 : 1, sequence: sequence, acknowledgedBelow: min(sequence, 2), command: command)
        }
        let second = newJob(2, "b") {
            ($0.details, $0.key, $0.expiresAfterMilliseconds) = (Array("[2]".utf8), "k", 9000)
        }
        _ = desk.apply([call(0, .openSession(sessionKey(1), ttlMilliseconds: 60_000))], at: 1000)
        _ = desk.apply([call(1, .post(board: "jobs", jobs: [newJob(1, "a"), second, newJob(3, "c")]))], at: 2000)
        _ = desk.apply([call(2, .claim(job: jobID(1), who: "w", leaseMilliseconds: 5000))], at: 2001)
        let holder = Holder(job: jobID(1), who: "w")
        _ = desk.apply([call(3, .consume(holder, result: Array("true".utf8), followUps: []))], at: 2002)
        _ = desk.apply([call(4, .claim(job: jobID(2), who: "w", leaseMilliseconds: 5000))], at: 2003)
        #expect(desk.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == Self.golden)
        #expect(try SnapshotDesk.read(desk.bytes).machine.job(jobID(2))?.owner == "w")
    }

    private static let golden =
        "6a736e70010000000c0000000005a61f06020100ac38810402000000010107000000046a6f6273010002000000020234000000000207"
        + "8c7b199820cfc7570102000000000000000000000000000000020162035b325da01fa61f020100017702b66d016bf0ab012700000000"
        + "010e5edd6368b1567800000200000000000000000000000000000003016300a01fa01f0300000200000003012d0000000000b78d9b10"
        + "52e0a1758008020200000000000000000000000000000001016100a01fa41f0101000474727565020000000401190000000100000000"
        + "000000010000000000000001e0d403a61f020103160000000204000000000000000000000000000000000101b26d1400000003050000"
        + "00000000000000000000000000000102160000000404000000000000000000000000000000000202b66d0200000005061c0000000001"
        + "01a01f046a6f62730000000000000000000000000000000101611c000000000102a01f046a6f62730000000000000000000000000000"
        + "000201621c000000000103a01f046a6f62730000000000000000000000000000000301631f000000030204a21f046a6f627300000000"
        + "00000000000000000000000101610177011f000000030705a41f046a6f62730000000000000000000000000000000101610177011f00"
        + "0000030206a61f046a6f62730000000000000000000000000000000201620177020c000000ff148704f6609c43b4233128"
}
