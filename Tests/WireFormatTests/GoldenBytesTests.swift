import Consensus
import Jobboard
import Testing
import WireFormat

/// The formats as bytes on paper. A change here breaks old logs or old clients: it needs a new tag or a new version.
struct GoldenBytesTests {
    @Test(arguments: GoldenSamples.all) func theBytesAreTheOnesWrittenDown(_ sample: GoldenSample) {
        #expect(sample.hex == sample.golden)
    }

    @Test func thereIsASampleOfEachKind() {
        var dice = Dice(seed: 0)
        #expect(GoldenSamples.commands.count == dice.commands().count)
        // Of a status there are two.
        #expect(GoldenSamples.responses.count == dice.responses().count + 1)
        #expect(GoldenSamples.requests.count == dice.requests().count - dice.commands().count + 1)
        #expect(GoldenSamples.peers.count == dice.messages().count)
        #expect(GoldenSamples.transfers.count == dice.transfers().count + 2)
    }

    /// Where there is ample room the bytes are those of before there were such words.
    @Test func aStatusSaysInItsFlagsHowMuchRoomThereIs() throws {
        var status = GoldenSamples.status
        var ample: [UInt8] = []
        ClientCodec.append(.status(status), number: 1, to: &ample)
        (status.room, status.clusterRoom) = (.low, .none)
        var short: [UInt8] = []
        ClientCodec.append(.status(status), number: 1, to: &short)
        let changed = zip(ample, short).enumerated().filter { $1.0 != $1.1 }
        #expect(ample.count == short.count && changed.map(\.offset) == [6])
        #expect(ample[6] == 0b11 && short[6] == 0b11_0111)
    }

    @Test func smallMessagesStaySmall() {
        var dice = Dice(seed: 20)
        for _ in 0..<1000 {
            for frame in dice.frames() {
                if case .append = frame.message { continue }
                if case .snapshotOffer = frame.message { continue }
                #expect(PeerCodec.encodeBody(frame).count < 60)
            }
        }
        let claim = Command.claim(job: JobID(high: 1, low: 2), who: "", leaseMilliseconds: nil)
        let call = SessionCommand(session: 1 << 20, sequence: 1 << 13, acknowledgedBelow: 1 << 13 - 5, command: claim)
        #expect(CommandCodec.encode([call]).count <= 30)
    }
}
