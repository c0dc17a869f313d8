import Consensus
import Jobboard
import Testing
import WireFormat

struct GoldenSample: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var golden: String

    init(_ name: String, _ bytes: [UInt8], _ golden: String) {
        testDescription = name
        self.bytes = bytes
        self.golden = golden
    }

    var hex: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// One message of each kind with fixed values and every optional field set, and some with none.
enum GoldenSamples {
    static let all = commands + requests + responses + peers + transfers + handshakes

    static let id = JobID(high: 0x0011_2233_4455_4677, low: 0x8899_aabb_ccdd_eeff)

    static var fullNewJob: NewJob {
        var job = NewJob(id: id, name: "n", details: Array("{}".utf8), priority: .high)
        job.book = Book(uuid: id, name: "b")
        job.key = "k"
        job.notBefore = Timestamp(milliseconds: 1000)
        job.delayMilliseconds = 300
        job.expiresAfterMilliseconds = 2
        job.leaseMilliseconds = 3
        job.maxFailures = 4
        job.maxLostClaims = 5
        return job
    }

    static var bareJob: Job {
        Job(
            id: id, board: "d", name: "n", details: [], priority: .normal, createdOn: Timestamp(milliseconds: 1000), position: 7,
            lastModified: Timestamp(milliseconds: -1))
    }

    static var fullJob: Job {
        var job = Job(
            id: id, board: "d", name: "n", details: Array("{}".utf8), priority: .veryLow,
            createdOn: Timestamp(milliseconds: 1000), position: 7, state: .claimed,
            lastModified: Timestamp(milliseconds: 2000), owner: "w", fence: 9, leaseUntil: Timestamp(milliseconds: 3000),
            claims: 2, failures: 1)
        job.changeRare {
            $0.book = Book(uuid: id, name: "b")
            $0.key = "k"
            $0.notBefore = Timestamp(milliseconds: 1)
            $0.expiresOn = Timestamp(milliseconds: 2)
            $0.leaseMilliseconds = 3
            $0.maxFailures = 4
            $0.lastFailure = "f"
            ($0.lostClaims, $0.maxLostClaims) = (5, 6)
            $0.result = Array("[]".utf8)
        }
        return job
    }

    static var status: NodeStatus {
        var status = NodeStatus(cluster: "c", node: 1, role: .leader, term: 2)
        status.leader = 1
        (status.snapshotIndex, status.snapshotDigest) = (2, Digest(high: 0, low: 0xfeed))
        (status.lastIndex, status.commit, status.applied, status.position) = (3, 4, 5, 6)
        (status.rawBytes, status.storedBytes, status.diskBytes) = (7, 8, 9)
        (status.syncs, status.syncP99Microseconds) = (10, 11)
        (status.unclaimed, status.claimed, status.complete, status.trashed) = (12, 13, 14, 15)
        status.members = [
            .init(node: 1, clientAddress: "h:1", reachable: true, datagrams: true, durable: 16),
            .init(node: 2, clientAddress: "h:2", reachable: true, datagrams: false, durable: 0),
        ]
        return status
    }

    static var damagedStatus: NodeStatus {
        var status = NodeStatus(cluster: "c", node: 3, role: .repairing, term: 0)
        (status.repair.missingBlocks, status.repair.unobtainableBlocks) = (300, 7)
        (status.repair.mendedBlocks, status.repair.mendedSnapshots) = (2, 1)
        (status.repair.scrubbedBytes, status.repair.scrubRounds) = (5, 6)
        status.repair.waitsFor = [1, 2]
        status.repair.reason = "r"
        return status
    }

    static let event = Event(
        position: 5, kind: .failed, time: Timestamp(milliseconds: 1000), board: "d", job: id, name: "n", owner: "w", fence: 9,
        failure: "f")

    private static func call(_ command: Command) -> SessionCommand {
        SessionCommand(session: 300, sequence: 5, acknowledgedBelow: 4, command: command)
    }

    private static func command(_ name: String, _ command: Command, _ golden: String) -> GoldenSample {
        GoldenSample(name, CommandCodec.encode([call(command)]), golden)
    }

    private static func request(_ name: String, _ request: Request, _ golden: String) -> GoldenSample {
        var frame: [UInt8] = []
        ClientCodec.append(request, number: 200, to: &frame)
        return GoldenSample(name, frame, golden)
    }

    private static func response(_ name: String, _ response: Response, _ golden: String) -> GoldenSample {
        var frame: [UInt8] = []
        ClientCodec.append(response, number: 200, to: &frame)
        return GoldenSample(name, frame, golden)
    }

    private static func peer(_ name: String, _ message: Message, _ golden: String) -> GoldenSample {
        var frame: [UInt8] = []
        PeerCodec.append(PeerFrame(from: NodeID(2), hearsDatagrams: true, message: message), to: &frame)
        return GoldenSample(name, frame, golden)
    }

    private static let holder = Holder(job: id, who: "w", fence: 9)

    static let commands = [
        command(
            "openSession", .openSession(SessionKey(high: 0x0102, low: 0x0304), ttlMilliseconds: 10_000),
            "01ac02050100000000000001020000000000000304904e"),
        command("closeSession", .closeSession, "02ac020501"),
        command(
            "post", .post(board: "d", jobs: [fullNewJob, NewJob(id: id, name: "n")]),
            """
            03ac020501016402ff010100112233445546778899aabbccddeeff016e027b7d00112233445546778899aabbccddeeff\
            0162016bd00fac0202030405000200112233445546778899aabbccddeeff016e00
            """),
        command(
            "claim", .claim(job: id, who: "w", leaseMilliseconds: 30_000),
            "04ac0205010100112233445546778899aabbccddeeff0177b0ea01"),
        command(
            "claimNext",
            .claimNext(
                ClaimNext(board: "d", who: "w", count: 2, leaseMilliseconds: 30_000, priorities: [.low, .high], name: "n")),
            "05ac020501070164017702b0ea010a016e"),
        command("extend", .extend(holder, leaseMilliseconds: 30_000), "06ac0205010300112233445546778899aabbccddeeff017709b0ea01"),
        command(
            "abandon", .abandon(holder, delayMilliseconds: 5, failure: "f"),
            "07ac0205010700112233445546778899aabbccddeeff017709050166"),
        command(
            "consume", .consume(holder, result: [0x31], followUps: [NewJob(id: id, name: "n")]),
            """
            08ac0205010700112233445546778899aabbccddeeff017709013101000200112233445546778899aabbccddeeff016e\
            00
            """),
    ]

    static let requests = [
        request(
            "session",
            .session(local: 3, SessionToken(high: 0x0102, low: 0x0304), ttlMilliseconds: 10_000, resumed: true),
            "170000000cc801010300000000000001020000000000000304904e"),
        request(
            "write",
            .write(
                call(.claim(job: id, who: "w", leaseMilliseconds: nil)),
                Sending(term: 7, isRepeated: true, waitMilliseconds: 1000)),
            """
            1f00000001c8010107e80704ac0205010000112233445546778899aabbccddeeff0177
            """),
        request("read job", .read(.job(id), fresh: true), "1400000002c8010100112233445546778899aabbccddeeff"),
        request("read owner", .read(.owner(id), fresh: false), "1400000003c8010000112233445546778899aabbccddeeff"),
        request(
            "read jobs",
            .read(
                .jobs(
                    JobsQuery(
                        board: "d", states: [.claimed, .trashed], owner: "w", name: "n", limit: 100,
                        cursor: .init(priority: .low, position: 812))), fresh: true),
            "1000000004c801010701640a640177016e03ac06"),
        request("read count", .read(.count(board: "d", state: .complete), fresh: true), "0800000005c8010101016402"),
        request("read status", .read(.status, fresh: false), "0400000006c80100"),
        request("waitForClaimable", .waitForClaimable(board: "d", milliseconds: 1000), "0700000007c8010164e807"),
        request("waitForEnd", .waitForEnd(job: id, milliseconds: 1000), "1500000008c80100112233445546778899aabbccddeeffe807"),
        request("watch", .watch(board: "d", from: 5), "0700000009c80103016405"),
        request("read digest", .read(.digest, fresh: false), "040000000bc80100"),
        request("cancel", .cancel(199), "050000000ac801c701"),
    ]

    static let responses = [
        response("sessionOpened", .outcome(.sessionOpened(300)), "0500000001c801ac02"),
        response("sessionClosed", .outcome(.sessionClosed), "0300000002c801"),
        response(
            "posted", .outcome(.posted([bareJob, fullJob], duplicates: [false, true])),
            """
            6a00000003c801020000000200112233445546778899aabbccddeeff0164016e00d00f0107000001ff6f010400112233\
            445546778899aabbccddeeff0164016e027b7dd00fa01f070201017709f02e00112233445546778899aabbccddeeff01\
            62016b020403040166025b5d0506
            """),
        response(
            "claimed", .outcome(.claimed([bareJob])),
            """
            2200000004c8010100000200112233445546778899aabbccddeeff0164016e00d00f01070000
            """),
        response(
            "changed", .outcome(.changed(bareJob)),
            """
            2100000005c80100000200112233445546778899aabbccddeeff0164016e00d00f01070000
            """),
        response(
            "refused", .outcome(.refused(JobboardError(.notOwner, "m", owner: "w"))),
            "1300000006c8010100096e6f745f6f776e6572016d0177"),
        response(
            "job", .job(fullJob),
            """
            4900000007c801ff6f010400112233445546778899aabbccddeeff0164016e027b7dd00fa01f070201017709f02e0011\
            2233445546778899aabbccddeeff0162016b020403040166025b5d0506
            """),
        response("owner", .owner("w"), "0600000008c801010177"),
        response(
            "jobs", .jobs(JobsPage(jobs: [bareJob], cursor: .init(priority: .low, position: 812), position: 9)),
            """
            2700000009c801010903ac060100000200112233445546778899aabbccddeeff0164016e00d00f01070000
            """),
        response("count", .count(300), "050000000ac801ac02"),
        response(
            "status", .status(status),
            """
            380000000bc801030201630101020000000000000000000000000000feed02030405060708090a0b0c0d0e0f02030103\
            683a3110010203683a320000
            """),
        response(
            "statusOfTheDamaged", .status(damagedStatus),
            "250000000bc8014003016303000000000000000000000000000000ac02070201050602010201017200"),
        response("digest", .digest(index: 3, 0xfeed), "0c00000011c80103edfe000000000000"),
        response("ready", .ready(true), "040000000cc80101"),
        response("watching", .watching(from: 5), "040000000dc80105"),
        response(
            "events", .events([event]),
            """
            220000000ec80101070505d00f016400112233445546778899aabbccddeeff016e0177090166
            """),
        response(
            "failed", .failed(JobboardError(.unavailable, "m", outcome: .unknown)),
            "130000000fc80100020b756e617661696c61626c65016d"),
        response("notLeader", .notLeader(leader: "h:1"), "0800000010c8010103683a31"),
        response("otherTerm", .otherTerm(300), "0500000012c801ac02"),
    ]

    static let peers = [
        peer("preVote", .preVote(PreVote(term: 3, lastIndex: 300, lastTerm: 2)), "0700000001010203ac0202"),
        peer("preVoteReply", .preVoteReply(PreVoteReply(term: 2, askedTerm: 3, granted: true)), "06000000020102020301"),
        peer("vote", .vote(Vote(term: 3, lastIndex: 300, lastTerm: 2)), "0700000003010203ac0202"),
        peer("voteReply", .voteReply(VoteReply(term: 3, granted: true, wall: 1000)), "070000000401020301e807"),
        peer(
            "append",
            .append(
                Append(
                    term: 3, previousIndex: 300, previousTerm: 2,
                    previousDigest: Digest(high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0e0f), commit: 299,
                    entries: [entry(ofBlock: [0xaa]), entry(ofBlock: [0xbb, 0xcc])])),
            """
            2500000005010203ac0202000102030405060708090a0b0c0d0e0fab020201000000aa02000000bbcc
            """),
        peer("durable", .appendReply(AppendReply(term: 3, result: .durable(300))), "0600000006010203ac02"),
        peer(
            "conflict", .appendReply(AppendReply(term: 3, result: .conflict(at: 300, hintIndex: 200, hintTerm: 1))),
            "0900000007010203ac02c80101"),
        peer("heartbeat", .heartbeat(Heartbeat(term: 3, round: 4, commit: 300, oldestWriteAge: 5)), "080000000801020304ac0205"),
        peer(
            "heartbeatReply", .heartbeatReply(HeartbeatReply(term: 3, round: 4, durable: 300, wall: 1000)),
            "0a0000000901020304ac02e80700"),
        peer("readIndex", .readIndex(ReadIndex(term: 3, nonce: 4)), "050000000a01020304"),
        peer("readIndexReply", .readIndexReply(ReadIndexReply(term: 3, nonce: 4, index: 300)), "070000000b01020304ac02"),
        peer(
            "snapshotOffer", .snapshotOffer(SnapshotOffer(term: 3, snapshot: snapshot)),
            """
            2d0000000c0102030402ac02e807ad02000102030405060708090a0b0c0d0e0f70101112131415161718191a1b1c1d1e\
            1f
            """),
        peer("installing", .appendReply(AppendReply(term: 3, result: .installing(pieces: 300))), "060000000d010203ac02"),
        peer(
            "shortReply", .heartbeatReply(HeartbeatReply(term: 3, round: 4, durable: 300, wall: 1000, room: .reserve)),
            "0b0000000e01020304ac02e8070001"),
        peer(
            "handOverVote", .vote(Vote(term: 3, lastIndex: 300, lastTerm: 2, isHandOver: true)), "070000000f010203ac0202"),
        peer("takeOver", .takeOver(TakeOver(term: 3, lastIndex: 300)), "0600000010010203ac02"),
    ]

    private static let digest = Digest(high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0e0f)
    private static let snapshot = SnapshotReference(
        last: EntrySummary(
            kind: .snapshotMark, term: 2, index: 300, time: 1000, nextCommand: 301, digest: digest, byteCount: 112),
        digest: Digest(high: 0x1011_1213_1415_1617, low: 0x1819_1a1b_1c1d_1e1f))

    private static func transfer(_ name: String, _ transfer: Transfer, _ golden: String) -> GoldenSample {
        var frame: [UInt8] = []
        TransferCodec.append(transfer, from: NodeID(2), to: &frame)
        return GoldenSample(name, frame, golden)
    }

    static let transfers = [
        transfer("askContentsAt", .askContentsAt(300), "040000004b02ac02"),
        transfer("askContents of the newest", .askContents(nil), "03000000400200"),
        transfer(
            "askContents", .askContents(snapshot),
            "2c0000004002010402ac02e807ad02000102030405060708090a0b0c0d0e0f70101112131415161718191a1b1c1d1e1f"),
        transfer(
            "contents", .contents(snapshot, table: [0xaa, 0xbb]),
            """
            3100000041020402ac02e807ad02000102030405060708090a0b0c0d0e0f70101112131415161718191a1b1c1d1e1f02\
            000000aabb
            """),
        transfer(
            "askChunk", .askChunk(snapshot, number: 5),
            "2c00000042020402ac02e807ad02000102030405060708090a0b0c0d0e0f70101112131415161718191a1b1c1d1e1f05"),
        transfer(
            "chunk", .chunk(snapshot, number: 5, stored: [0xaa]),
            """
            3100000043020402ac02e807ad02000102030405060708090a0b0c0d0e0f70101112131415161718191a1b1c1d1e1f05\
            01000000aa
            """),
        transfer(
            "noSnapshot", .noSnapshot(snapshot),
            "2c0000004402010402ac02e807ad02000102030405060708090a0b0c0d0e0f70101112131415161718191a1b1c1d1e1f"),
        transfer("askBlock", .askBlock(index: 300, digest: digest), "140000004502ac02000102030405060708090a0b0c0d0e0f"),
        transfer(
            "block", .block(index: 300, digest: digest, bytes: [0xaa]),
            "190000004602ac02000102030405060708090a0b0c0d0e0f01000000aa"),
        transfer(
            "noBlock", .noBlock(index: 300, digest: digest, neverHad: true),
            "150000004802ac02000102030405060708090a0b0c0d0e0f01"),
        transfer(
            "askCorruptBlock", .askCorruptBlock(index: 300, digest: digest),
            "140000004c02ac02000102030405060708090a0b0c0d0e0f"),
        transfer(
            "corruptBlock",
            .corruptBlock(
                index: 300, digest: digest, BlockCopy(bytes: [0xaa, 0, 0xcc, 0, 0], unreadable: [1..<2, 3..<5])),
            "230000004d02ac02000102030405060708090a0b0c0d0e0f0105000000aa00cc0000" + "0101020100"),
        transfer(
            "corruptBlock of a node that has nothing of it", .corruptBlock(index: 300, digest: digest, nil),
            "150000004d02ac02000102030405060708090a0b0c0d0e0f00"),
        transfer(
            "tookSnapshot", .tookSnapshot(snapshot),
            "2b00000047020402ac02e807ad02000102030405060708090a0b0c0d0e0f70101112131415161718191a1b1c1d1e1f"),
        transfer("askStanding", .askStanding(life: 7), "03000000490207"),
        transfer(
            "standing", .standing(life: 7, term: 5, last: snapshot.last),
            "1e0000004a020705010402ac02e807ad02000102030405060708090a0b0c0d0e0f70"),
        transfer("standing of who has lost it", .standing(life: 7, term: 5, last: nil), "050000004a02070500"),
    ]

    static let handshakes = [
        GoldenSample(
            "client hello", ClientCodec.encode(ClientHello(cluster: "c", node: 1, leader: "h:1", term: 300)),
            "130000004a42434c0100010001630101" + "03683a31ac0200"),
        GoldenSample(
            "client hello with extensions",
            ClientCodec.encode(
                ClientHello(
                    formats: FormatRange(1, 3), cluster: "c", node: 0, leader: nil,
                    extensions: [GreetingExtension(type: 5, value: [0xaa]), GreetingExtension(type: 300, value: [])])),
            "140000004a42434c010003000163000000020501aaac0200"),
        GoldenSample(
            "peer hello", PeerCodec.encode(PeerHello(cluster: "c", from: NodeID(1), to: NodeID(2), nonce: Array(0..<32))),
            """
            2d0000004a4250480100010001630102000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
            00
            """),
        GoldenSample(
            "peer proof", PeerCodec.encode(PeerProof(code: Array(0..<32))),
            "240000004a425050000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
    ]
}
