import Jobboard
import Testing

@Suite struct ValidationTests {
    static let machine = BoardMachine()

    static func code(_ command: Command) -> JobboardError.Code? { machine.validate(command)?.code }
    static func post(_ change: (inout NewJob) -> Void) -> JobboardError.Code? {
        code(.post(board: "b", jobs: [newJob(1, "n", change)]))
    }
    static func text(_ count: Int) -> String { String(repeating: "x", count: count) }
    static func json(_ count: Int) -> [UInt8] { Array(("\"" + text(count - 2) + "\"").utf8) }

    @Test func `names have their lengths, in bytes`() {
        #expect(Self.post { $0.name = Self.text(255) } == nil)
        #expect(Self.post { $0.name = Self.text(256) } == .invalidArgument)
        #expect(Self.post { $0.name = String(repeating: "é", count: 128) } == .invalidArgument)
        #expect(Self.post { $0.name = "" } == .invalidArgument)
        #expect(Self.post { $0.key = "" } == .invalidArgument)
        #expect(Self.post { $0.key = Self.text(256) } == .invalidArgument)
        #expect(Self.post { $0.book = Book(uuid: jobID(1), name: Self.text(256)) } == .invalidArgument)
        for who in ["", Self.text(256)] {
            #expect(Self.code(.claim(job: jobID(1), who: who, leaseMilliseconds: nil)) == .invalidArgument)
            for command in HeldTests.held(who: who) { #expect(Self.code(command) == .invalidArgument) }
        }
        #expect(Self.code(.claim(job: jobID(1), who: Self.text(255), leaseMilliseconds: nil)) == nil)
    }

    @Test(arguments: ["a\u{0}b", "\n", "a\u{1B}[31m", "\u{7F}", "\u{80}", "x\u{9F}"])
    func `names, keys and who have no control characters`(text: String) {
        #expect(Self.post { $0.name = text } == .invalidArgument)
        #expect(Self.post { $0.key = text } == .invalidArgument)
        #expect(Self.post { $0.book = Book(uuid: jobID(1), name: text) } == .invalidArgument)
        #expect(Self.code(.claim(job: jobID(1), who: text, leaseMilliseconds: nil)) == .invalidArgument)
        #expect(Self.code(.claimNext(ClaimNext(board: "b", who: "w", name: text))) == .invalidArgument)
        for command in HeldTests.held(who: text) { #expect(Self.code(command) == .invalidArgument) }
    }

    @Test(arguments: ["\u{0}", "\u{1F}", "\u{7F}", "\u{80}", "\u{9F}"])
    func `a control character is found wherever in a name it is`(control: String) {
        for before in 0...24 {
            for after in [0, 7, 8] {
                let text = String(repeating: "x", count: before) + control + String(repeating: "~", count: after)
                #expect(Self.post { $0.name = text } == .invalidArgument)
                #expect(Self.post { $0.name = "é" + text } == .invalidArgument)
            }
        }
    }

    @Test(arguments: [" ", "\u{A0}", "é", "\u{C2}", "日本", "a b", "0123456 ~~~~~~~ 日本", " !\"}~ ~}!\" €"])
    func `other characters of any script are fine in a name`(text: String) {
        #expect(Self.post { $0.name = text } == nil)
    }

    @Test(arguments: ["", "a b", "ä", "a/b", "\u{0}", String(repeating: "x", count: 129)])
    func `a board's name is plain`(name: String) {
        #expect(Self.code(.post(board: name, jobs: [newJob(1)])) == .invalidArgument)
        #expect(Self.code(.claimNext(ClaimNext(board: name, who: "w"))) == .invalidArgument)
    }

    @Test func `a board's name may have letters, digits, dots, dashes and underscores`() {
        #expect(Self.code(.post(board: "aZ09.-_" + Self.text(121), jobs: [newJob(1)])) == nil)
    }

    @Test func `details and results are JSON of at most 256 KiB`() {
        #expect(Self.post { $0.details = Self.json(256 << 10) } == nil)
        #expect(Self.post { $0.details = Self.json(256 << 10 + 1) } == .tooLarge)
        #expect(Self.post { $0.details = Array("{".utf8) } == .invalidArgument)
        let holder = Holder(job: jobID(1), who: "w")
        #expect(Self.code(.consume(holder, result: Self.json(256 << 10 + 1), followUps: [])) == .tooLarge)
        #expect(Self.code(.consume(holder, result: [0xff], followUps: [])) == .invalidArgument)
        #expect(Self.code(.consume(holder, result: [], followUps: [])) == nil)
    }

    @Test func `a post has 1 to 4096 jobs and at most 4 MiB`() {
        #expect(Self.code(.post(board: "b", jobs: [])) == .invalidArgument)
        #expect(Self.code(.post(board: "b", jobs: (1...4096).map { newJob($0) })) == nil)
        #expect(Self.code(.post(board: "b", jobs: (1...4097).map { newJob($0) })) == .tooLarge)
        let big = (1...17).map { number in newJob(number) { $0.details = Self.json(256 << 10) } }
        #expect(Self.code(.post(board: "b", jobs: Array(big[..<15]))) == nil)
        #expect(Self.code(.post(board: "b", jobs: big)) == .tooLarge)
        #expect(Self.code(.consume(Holder(job: jobID(1), who: "w"), result: nil, followUps: big)) == .tooLarge)
    }

    @Test func `numbers have their ranges`() {
        for (count, good) in [(0, false), (1, true), (1024, true), (1025, false)] as [(UInt32, Bool)] {
            #expect((Self.code(.claimNext(ClaimNext(board: "b", who: "w", count: count))) == nil) == good)
        }
        for (lease, good) in [(99, false), (100, true), (604_800_000, true), (604_800_001, false)] as [(UInt32, Bool)] {
            #expect((Self.code(.claim(job: jobID(1), who: "w", leaseMilliseconds: lease)) == nil) == good)
            #expect((Self.code(.claimNext(ClaimNext(board: "b", who: "w", leaseMilliseconds: lease))) == nil) == good)
            #expect((Self.code(.extend(Holder(job: jobID(1), who: "w"), leaseMilliseconds: lease)) == nil) == good)
            #expect((Self.post { $0.leaseMilliseconds = lease } == nil) == good)
        }
        for (ttl, good) in [(999, false), (1000, true), (3_600_000, true), (3_600_001, false)] as [(UInt32, Bool)] {
            #expect((Self.code(.openSession(sessionKey(1), ttlMilliseconds: ttl)) == nil) == good)
        }
        #expect(Self.post { $0.delayMilliseconds = .max } == .invalidArgument)
        #expect(Self.post { $0.expiresAfterMilliseconds = .max } == .invalidArgument)
        #expect(Self.post { $0.expiresAfterMilliseconds = 0 } == .invalidArgument)
        #expect(Self.post { $0.maxFailures = 0 } == .invalidArgument)
        #expect(Self.post { $0.notBefore = Timestamp(milliseconds: -1) } == .invalidArgument)
        #expect(Self.post { $0.notBefore = Timestamp(milliseconds: .max) } == .invalidArgument)
        let holder = Holder(job: jobID(1), who: "w")
        #expect(Self.code(.abandon(holder, delayMilliseconds: .max, failure: nil)) == .invalidArgument)
        #expect(Self.code(.abandon(holder, delayMilliseconds: 0, failure: Self.text(16_384))) == nil)
        #expect(Self.code(.abandon(holder, delayMilliseconds: 0, failure: Self.text(16_385))) == .tooLarge)
    }
}
