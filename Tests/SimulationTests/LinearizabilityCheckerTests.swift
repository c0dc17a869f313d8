import Jobboard
import Simulation
import Testing
import WireFormat

/// A history in one line an operation: `ada 10-20 claim 1 = 5`. Times in milliseconds, `-` for never;
/// jobs as small numbers; the answer behind `=`.
private func history(_ text: String) throws -> [Operation] {
    try text.split(separator: "\n").map { try operation($0.split(separator: " ").map(String.init)) }
}

private func job(_ number: String) throws -> JobID {
    try #require(JobID("00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - number.count) + number))
}

private func operation(_ words: [String]) throws -> Operation {
    let times = words[1].split(separator: "-", omittingEmptySubsequences: false)
    let action = try #require(Operation.Action(rawValue: words[2]))
    var operation = Operation(client: words[0], action, called: try #require(UInt64(times[0])) * 1000)
    operation.returned = UInt64(times[1]).map { $0 * 1000 }
    operation.who = words[0]
    var rest = words[3...]
    while let word = rest.first, word != "=" {
        rest.removeFirst()
        if word.hasPrefix("f") {
            operation.fence = UInt64(word.dropFirst())
        } else if word.hasPrefix("lease") {
            operation.leaseMilliseconds = UInt64(word.dropFirst(5))
        } else if word == "delayed" {
            operation.isDelayed = true
        } else {
            operation.jobs.append(try job(word))
        }
    }
    operation.answer = try answer(Array(rest.dropFirst()), operation)
    return operation
}

private func answer(_ words: [String], _ operation: Operation) throws -> Operation.Answer {
    guard let word = words.first else { return .unknown }
    switch (operation.action, word) {
    case (.post, "ok"): return .posted(duplicates: operation.jobs.map { _ in false })
    case (.post, "there"): return .posted(duplicates: operation.jobs.map { _ in true })
    case (.claim, _) where UInt64(word) != nil:
        return .claimed([.init(job: operation.jobs[0], fence: try #require(UInt64(word)))])
    case (.claimNext, "nothing"): return .claimed([])
    case (.claimNext, _) where word.contains(":"):
        return .claimed(
            try words.map { pair in
                let parts = pair.split(separator: ":").map(String.init)
                return .init(job: try job(parts[0]), fence: try #require(UInt64(parts[1])))
            })
    case (.extend, "ok"), (.consume, "ok"), (.abandon, "ok"): return .done(state: nil)
    case (.owner, "nobody"): return .seen(state: nil, owner: nil, fence: nil)
    case (.show, _) where JobState(word: word) != nil:
        return .seen(
            state: JobState(word: word), owner: words.count > 1 ? words[1] : nil, fence: words.count > 2 ? UInt64(words[2]) : nil)
    case (.owner, _) where !word.contains("_"): return .seen(state: nil, owner: word, fence: nil)
    default: return .refused(code: word, owner: words.count > 1 ? words[1] : nil)
    }
}

@Suite struct LinearizabilityCheckerTests {
    @Test(arguments: [
        // A life.
        "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 extend 1 f1 = ok\na 7-8 consume 1 f1 = ok\nb 9-10 claim 1 = unclaimable",
        // Two at once: either may win.
        "a 1-2 post 1 = ok\na 3-9 claim 1 = unclaimable b\nb 4-8 claim 1 = 1",
        // The lease ended.
        "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\nb 5-6 claim 1 = 2\na 7-8 consume 1 f1 = not_owner b\nb 9-9 consume 1 f2 = ok",
        // A post that nobody answered took place late.
        "a 1-- post 1\nb 2-3 claim 1 = not_found\nb 4-5 claim 1 = 1",
        // A consume that nobody answered took place, or did not.
        "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-- consume 1 f1\nb 8-9 show 1 = COMPLETE",
        "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-- consume 1 f1\nb 8-9 claim 1 = 2",
        // A claim of the next whose answer was lost.
        "a 1-2 post 1 = ok\na 3-- claim_next\nb 4-5 owner 1 = a\nb 6-7 claim_next = nothing\nb 8-9 claim 1 = 2",
        // Seen while it happened: before or after.
        "a 1-2 post 1 = ok\na 3-10 claim 1 = 1\nb 4-5 owner 1 = nobody\nb 6-7 owner 1 = a",
        // Back after an abandon; a failure may go to the trash.
        "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 abandon 1 f1 = ok\nb 7-8 claim 1 = 2\nb 9-10 abandon 1 f2 delayed = ok\n"
            + "b 11-12 show 1 = TRASHED",
        // A claim of the next that nobody answered took one of two, nobody knows which, and may have come late.
        "a 1-2 post 1 2 = ok\na 3-- claim_next\nb 4-5 claim 1 = 1\nb 6-7 owner 2 = a",
        "a 1-- claim_next\na 2-3 post 1 = ok\nb 4-5 claim_next = nothing\nb 6-7 owner 1 = a",
        // Nobody answered the abandon: it took place before the claim, or the lease ended.
        "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-- abandon 1 f1\nb 6-7 claim_next = 1:2\na 8-9 extend 1 f1 = not_owner b",
        // Two consumes on the way, one answered.
        "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-- consume 1 f1\na 6-7 consume 1 f1 = not_claimed",
        // The same job again, and its fence after an unanswered claim.
        "a 1-2 post 1 = ok\na 3-4 post 1 = there\na 5-- claim 1\nb 6-7 show 1 = CLAIMED a 4\nb 8-9 show 1 = CLAIMED a 4",
    ]) func acceptsWhatOneBoardCouldHaveAnswered(text: String) throws {
        var checker = LinearizabilityChecker()
        let verdict = checker.check(try history(text))
        #expect(verdict.isGood, "\(verdict.violations)")
    }

    @Test(arguments: [
        ("a double claim", "a 1-2 post 1 = ok\na 3-4 claim 1 lease9000 = 1\nb 5-6 claim 1 = 2", "is claimed by a with fence 1"),
        (
            "a claim after the consume", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 consume 1 f1 = ok\nb 7-8 claim 1 = 2",
            "is complete"
        ),
        ("a lost post", "a 1-2 post 1 = ok\nb 3-4 claim 1 = not_found", "nothing explains b's claim"),
        ("a lost post, read", "a 1-2 post 1 = ok\nb 3-4 owner 1 = not_found", "nothing explains b's owner"),
        (
            "a stale fence accepted", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\nb 5-6 claim_next = 1:2\na 7-8 consume 1 f1 = ok",
            "nothing explains a's consume with fence 1"
        ),
        (
            "the own older fence accepted", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 claim 1 = 2\na 7-8 extend 1 f1 = ok",
            "with fence 2"
        ),
        ("two consumes", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 consume 1 f1 = ok\na 7-8 consume 1 f1 = ok", "is complete"),
        (
            "an owner that goes back in time",
            "a 1-2 post 1 = ok\na 3-10 claim 1 lease9000 = 1\nb 4-5 owner 1 = a\nb 6-7 owner 1 = nobody",
            "nothing explains b's owner (called 6000"
        ),
        ("an owner that never claimed", "a 1-2 post 1 = ok\nb 3-4 owner 1 = c", "held by c"),
        (
            "a consumed job seen claimed", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 consume 1 = ok\nb 7-8 owner 1 = a",
            "is complete"
        ),
        ("a job that comes back", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 consume 1 = ok\nb 7-8 post 1 = ok", "is complete"),
        ("a post that made two", "a 1-2 post 1 = ok\nb 3-4 post 1 = ok", "posted"),
        ("a duplicate of nothing", "a 1-2 post 1 = there", "is not there"),
        ("a consume that was not held", "a 1-2 post 1 = ok\nb 3-4 consume 1 = ok", "nothing explains b's consume"),
        (
            "a fence for two", "a 1-2 post 1 2 = ok\na 3-9 claim 1 = 1\nb 3-9 claim 2 = 1",
            "fence 1 was given twice"
        ),
        (
            "fences of one job that fall", "a 1-2 post 1 = ok\na 3-4 claim 1 = 5\na 5-6 abandon 1 = ok\nb 5-9 claim 1 = 4",
            "after fence 5"
        ),
        (
            "fences of two jobs that fall", "a 1-2 post 1 2 = ok\na 3-4 claim 1 = 5\nb 5-6 claim 2 = 4",
            "fence 4 of job 00000000-0000-4000-8000-000000000002 was given after fence 5"
        ),
        (
            "nothing although there was", "a 1-2 post 1 = ok\nb 3-4 claim_next = nothing\nb 5-6 claim 1 = 1",
            "claimable all the while"
        ),
        (
            "an abandon that had no effect", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 abandon 1 = ok\nb 7-8 owner 1 = a",
            "claimable"
        ),
        (
            "trash without a failure", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 abandon 1 = ok\nb 7-8 show 1 = TRASHED",
            "TRASHED"
        ),
        (
            "an unanswered consume that took place and did not",
            "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-- consume 1 f1\nb 6-7 show 1 = COMPLETE\nb 8-9 claim 1 = 2",
            "is complete"
        ),
        (
            "an unanswered claim of the next in whose name another holds",
            "a 1-2 post 1 = ok\na 3-- claim_next\nb 4-5 owner 1 = c", "held by c"
        ),
        (
            "a claim of the next that got what is consumed",
            "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 consume 1 f1 = ok\nb 7-8 claim_next = 1:2", "is complete"
        ),
        (
            "a claim of the next that got what is held",
            "a 1-2 post 1 = ok\na 3-4 claim 1 lease9000 = 1\nb 5-6 claim_next = 1:2", "is claimed by a with fence 1"
        ),
        (
            "an extend after the end", "a 1-2 post 1 = ok\na 3-4 claim 1 = 1\na 5-6 consume 1 f1 = ok\na 7-8 extend 1 f1 = ok",
            "is complete"
        ),
        (
            "an abandon of what another holds",
            "a 1-2 post 1 = ok\na 3-4 claim 1 lease9000 = 1\nb 5-6 abandon 1 f1 = ok", "nothing explains b's abandon"
        ),
        ("refused for an owner who is none", "a 1-2 post 1 = ok\nb 3-4 claim 1 = unclaimable c", "held by c"),
        (
            "refused for no reason", "a 1-2 post 1 = ok\na 3-4 claim 1 lease9000 = 1\na 5-6 consume 1 f1 = stale_fence",
            "stale_fence"
        ),
    ]) func findsWhatNoBoardCouldHaveAnswered(name: String, text: String, explanation: String) throws {
        // The clocks are exact, so that a long lease can't have ended.
        var checker = LinearizabilityChecker(clockSlack: 0)
        let verdict = checker.check(try history(text))
        #expect(!verdict.violations.isEmpty, "\(name) was not found")
        #expect(verdict.violations.contains { $0.description.contains(explanation) }, "\(name): \(verdict.violations)")
        #expect(verdict.violations.allSatisfy { !$0.description.contains("\n") })
    }

    @Test func aLeaseEndsNoEarlierThanTheClocksAllow() throws {
        let text = "a 1-2 post 1 = ok\na 3-4 claim 1 lease100 = 1\nb 60-70 claim 1 = 2"
        for (slack, isGood) in [(nil, true), (40_000, true), (20_000, false)] as [(UInt64?, Bool)] {
            var checker = LinearizabilityChecker(clockSlack: slack)
            #expect(checker.check(try history(text)).isGood == isGood, "slack \(slack ?? 0)")
        }
    }

    @Test func itIsTriedInEveryOrderBeforeItIsCalledWrong() throws {
        // Ten claims at once of which one won; each loser names the winner or an owner before it.
        let names = (0..<10).map { "c\($0)" }
        var lines = ["a 1-2 post 1 = ok"]
        for name in names.dropLast() { lines.append("\(name) 3-50 claim 1 = unclaimable c9") }
        lines.append("c9 3-50 claim 1 lease9000 = 1")
        var checker = LinearizabilityChecker(clockSlack: 0)
        #expect(checker.check(try history(lines.joined(separator: "\n"))).isGood)
        lines[4] = "c3 3-50 claim 1 = unclaimable c8"
        #expect(!checker.check(try history(lines.joined(separator: "\n"))).isGood)
    }

    @Test func aHundredThousandOperationsTakeSeconds() throws {
        var operations: [Operation] = []
        func add(_ client: String, _ action: Operation.Action, _ id: JobID, _ answer: Operation.Answer, _ fence: UInt64? = nil) {
            let now = UInt64(operations.count) * 10
            var operation = Operation(client: client, action, jobs: action == .claimNext ? [] : [id], called: now)
            (operation.returned, operation.answer) = (now + 35, answer)
            (operation.who, operation.fence) = (client, fence)
            operations.append(operation)
        }
        for number in 1...20_000 as ClosedRange<UInt64> {
            let id = JobID(high: 0x4000, low: number)
            let client = "c\(number % 8)"
            add(client, .post, id, .posted(duplicates: [false]))
            operations[operations.count - 1].returned = operations[operations.count - 1].called + 5
            add(client, .claimNext, id, .claimed([.init(job: id, fence: number)]))
            add("reader", .owner, id, .seen(state: nil, owner: client, fence: nil))
            add(client, .extend, id, .done(state: nil), number)
            add(client, .consume, id, .done(state: nil), number)
        }
        // One job that everybody looks at all the time.
        for place in stride(from: 2, to: operations.count, by: 5) { operations[place].jobs = [operations[2].jobs[0]] }
        for place in stride(from: 2, to: operations.count, by: 5) {
            operations[place].answer = .seen(state: nil, owner: place < 5 ? "c1" : nil, fence: nil)
        }
        var checker = LinearizabilityChecker()
        let verdict = checker.check(operations)
        #expect(verdict.operations == 100_000 && verdict.isGood, "\(verdict.violations.prefix(3))")
    }

    @Test func aHistoryIsTheSameAfterItWasWrittenAndRead() throws {
        let text =
            "a 1-2 post 1 2 delayed = ok\na 3-4 claim_next = 1:5 2:6\na 3-- claim_next\nb 5-6 claim 1 lease50 = unclaimable a\n"
            + "a 7-8 consume 1 f5 = ok\nb 9-10 show 1 = CLAIMED a 5\nb 11-12 owner 2 = nobody\nb 13-14 claim_next = nothing"
        for operation in try history(text) {
            var writer = JSONWriter()
            HistoryText.append(operation, to: &writer)
            #expect(writer.bytes.last == UInt8(ascii: "\n") && writer.bytes.count { $0 == UInt8(ascii: "\n") } == 1)
            #expect(try HistoryText.read(writer.bytes) == operation)
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"client":"a","op":"steal","called":1,"answer":"ok"}"#,
        #"{"client":"a","op":"claim","called":1,"returned":2,"answer":"ok"}"#,
        #"{"client":"a","op":"owner","jobs":["x"],"called":1,"returned":2,"answer":"ok"}"#,
        #"{"client":"a","op":"claim_next","called":3,"returned":2,"answer":"ok"}"#,
        #"{"client":"a","op":"claim_next","called":3,"answer":"ok"}"#,
        #"{"client":"a","op":"claim_next","called":-3,"answer":"unknown"}"#,
    ]) func aLineThatMakesNoSenseIsRefused(line: String) {
        #expect(throws: WireError.self) { try HistoryText.read(Array(line.utf8)) }
    }
}
