import Consensus
import Jobboard
import Testing
import WireFormat

/// Decoders get bytes from strangers and from rotten disks: whatever they are, the answer is a value or an error.
struct HostileBytesTests {
    @Test(arguments: Format.all) func everyTruncationIsRefused(_ format: Format) throws {
        var dice = Dice(seed: 10)
        for _ in 0..<5 {
            for sample in format.samples(&dice) {
                for length in 0..<sample.count {
                    #expect(throws: WireError.self) { try format.recode(Array(sample.prefix(length))) }
                }
            }
        }
    }

    @Test(arguments: Format.all) func everyByteTooManyIsRefused(_ format: Format) throws {
        var dice = Dice(seed: 11)
        for sample in format.samples(&dice) {
            for extra: UInt8 in [0, 1, 0xff] {
                #expect(throws: WireError.self) { try format.recode(sample + [extra]) }
            }
        }
    }

    /// What a flipped bit turns into another valid message must be the only encoding of that message.
    @Test(arguments: Format.all) func flippedBitsNeverCrashAndNothingHasTwoEncodings(_ format: Format) throws {
        var dice = Dice(seed: 12)
        var refused = 0
        for _ in 0..<5 {
            for sample in format.samples(&dice) {
                for _ in 0..<200 {
                    var broken = sample
                    for _ in 0...dice.below(3) { broken[dice.below(broken.count)] ^= 1 << UInt8(dice.below(8)) }
                    do {
                        let again = try format.recode(broken)
                        if again != broken { Issue.record("\(broken) is also \(again)") }
                    } catch is WireError {
                        refused += 1
                    }
                }
            }
        }
        #expect(refused > 0)
    }

    @Test(arguments: Format.all) func garbageNeverCrashes(_ format: Format) throws {
        var dice = Dice(seed: 13)
        var refused = 0
        for round in 0..<100_000 {
            var garbage = round & 1 == 0 ? format.prefix : []
            for _ in 0..<dice.below(48) {
                // Small bytes are tags, flags and lengths that lead deeper than random ones do.
                let byte = UInt8(truncatingIfNeeded: dice.next())
                garbage.append(dice.coin() ? byte & 0x0f : byte)
            }
            do {
                let again = try format.recode(garbage)
                if again != garbage { Issue.record("\(garbage) is also \(again)") }
            } catch is WireError {
                refused += 1
            }
        }
        #expect(refused > 50_000)
    }

    @Test func aCountThatTheBytesCannotHoldIsRefusedBeforeAnythingIsReserved() {
        var claimed = ByteWriter()
        claimed.u8(4)
        claimed.varint(1)
        claimed.varint(1 << 60)
        #expect(throws: WireError("1152921504606846976 items announced; the most is 10000")) {
            try claimed.bytes.withUnsafeBytes { _ = try ClientCodec.decodeResponse($0) }
        }
        #expect(throws: WireError("1000000000 commands cannot be in 4 bytes")) {
            try ([2, 0, 0, 0] as [UInt8]).withUnsafeBytes { _ = try CommandCodec.decode($0, count: 1_000_000_000) }
        }
        #expect(throws: WireError.self) {
            try [UInt8]().withUnsafeBytes { _ = try CommandCodec.decode($0, count: -1) }
        }
    }

    private func refusal(ofRequest body: [UInt8]) -> String? {
        do {
            _ = try body.withUnsafeBytes { try ClientCodec.decodeRequest($0) }
            return nil
        } catch {
            return (error as? WireError)?.message ?? "\(error)"
        }
    }

    private func body(of request: Request) -> [UInt8] {
        var frame: [UInt8] = []
        ClientCodec.append(request, number: 1, to: &frame)
        return Array(frame[Framing.prefixLength...])
    }

    private func write(_ command: Command) -> Request {
        .write(SessionCommand(session: 1, sequence: 1, acknowledgedBelow: 1, command: command), Sending(term: 1))
    }

    /// Each is a request with a list or a text that no rule allows; with five million bytes of it, not one is taken.
    @Test func `what a request may announce is bounded before it is read`() {
        let job = JobID(high: 1, low: 2)
        let long = String(repeating: "n", count: 5_000_000)
        let texts: [Request] = [
            write(.claim(job: job, who: long, leaseMilliseconds: nil)),
            write(.claimNext(ClaimNext(board: long, who: "w"))), write(.claimNext(ClaimNext(board: "b", who: "w", name: long))),
            write(.post(board: "b", jobs: [NewJob(id: job, name: long)])),
            write(.extend(Holder(job: job, who: long), leaseMilliseconds: nil)),
            write(.abandon(Holder(job: job, who: "w"), delayMilliseconds: nil, failure: long)),
            .read(.jobs(JobsQuery(board: "b", owner: long)), fresh: true), .read(.count(board: long, state: nil), fresh: true),
            .waitForClaimable(board: long, milliseconds: 1), .watch(board: long, from: nil),
        ]
        for request in texts {
            #expect(refusal(ofRequest: body(of: request))?.hasPrefix("a text of 5000000 bytes; the most is") == true)
            #expect(request.refusal != nil, "the client must not send what closes its connection")
        }
        let jobs = (0..<100_000 as Range<UInt64>).map { NewJob(id: JobID(high: 1, low: $0), name: "") }
        let many = write(.post(board: "b", jobs: jobs))
        #expect(refusal(ofRequest: body(of: many)) == "100000 items announced; the most is 8192")
        #expect(many.refusal?.code == .tooLarge)
        let allowed = write(.post(board: "b", jobs: Array(jobs.prefix(8192))))
        #expect(refusal(ofRequest: body(of: allowed)) == nil && allowed.refusal == nil)
    }

    @Test func `sets are bytes, and a bit that stands for nothing is refused`() {
        let list = body(of: .read(.jobs(JobsQuery(board: "b", states: [.claimed, .claimed, .complete])), fresh: true))
        let place = list.count - 2
        #expect(list[place] == 0b0110)
        var broken = list
        broken[place] = 0b1_0000
        #expect(refusal(ofRequest: broken) == "unknown job states 16")
        let claim = body(of: write(.claimNext(ClaimNext(board: "b", who: "w", priorities: [.low, .low, .high]))))
        #expect(claim.last == 0b0_1010)
        #expect(refusal(ofRequest: claim.dropLast() + [0b10_0000]) == "unknown priorities 32")
        #expect(refusal(ofRequest: claim.dropLast() + [0]) == "an empty set of priorities")
    }

    /// Each is one byte wrong; the error names what.
    @Test(
        arguments: [
            ([0x80, 0x00], "a number longer than it need be"),
            ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], "a number of more than 64 bits"),
            ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], "a number of more than 64 bits"),
            ([0x80], "ends early: 1 bytes needed, 0 left"),
        ] as [([UInt8], String)])
    func aVarintHasOneFormOnly(_ bytes: [UInt8], _ message: String) {
        #expect(throws: WireError(message)) {
            try bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                _ = try reader.varint()
            }
        }
    }

    @Test(
        arguments: [[1, 0xff], [2, 0xc0, 0x80], [3, 0xed, 0xa0, 0x80], [1, 0xc3], [4, 0xf4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func textThatIsNotUTF8IsRefused(_ bytes: [UInt8]) {
        #expect(throws: WireError("text that is not UTF-8")) {
            try bytes.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                _ = try reader.string()
            }
        }
    }

    @Test func anUnknownTagIsNamed() {
        #expect(throws: WireError("unknown command 77")) {
            try ([77, 0, 0, 0] as [UInt8]).withUnsafeBytes { _ = try CommandCodec.decode($0, count: 1) }
        }
        #expect(throws: WireError("unknown request 0")) {
            try ([0, 0] as [UInt8]).withUnsafeBytes { _ = try ClientCodec.decodeRequest($0) }
        }
    }

    @Test func aStrangersFirstBytesAreNoFrame() {
        for stranger in ["GET / HTTP/1.1\r\n", "SSH-2.0-x", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "EHLO"] {
            let prefix = Array(stranger.utf8.prefix(4)).withUnsafeBytes {
                UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))
            }
            #expect(throws: WireError.self) { try Framing.bodyLength(prefix, maximum: Framing.maximumHelloFrame) }
        }
        let body = Array("GET / HTTP/1.1".utf8)
        #expect(throws: WireError("this is not a jobboard client or node")) {
            try body.withUnsafeBytes { _ = try ClientCodec.decodeHello($0) }
        }
        #expect(throws: WireError("this is not a jobboard node")) {
            try body.withUnsafeBytes { _ = try PeerCodec.decodeHello($0) }
        }
    }

    @Test func aFrameIsNeitherEmptyNorAboveItsLimit() throws {
        #expect(throws: WireError("an empty frame")) { try Framing.bodyLength(0, maximum: 10) }
        #expect(try Framing.bodyLength(1, maximum: 10) == 1)
        #expect(try Framing.bodyLength(10, maximum: 10) == 10)
        #expect(throws: WireError("a frame of 11 bytes; the most is 10")) { try Framing.bodyLength(11, maximum: 10) }
        #expect(throws: WireError.self) { try Framing.bodyLength(.max, maximum: Framing.maximumPeerFrame) }
    }
}
