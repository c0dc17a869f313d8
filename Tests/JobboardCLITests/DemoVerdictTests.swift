import Jobboard
import Testing

@testable import JobboardCLI

/// A demo that went well, to be sabotaged: three jobs, two workers, three nodes.
private struct Play {
    static let stranger = JobID(high: 9, low: 9)
    var posted = (1...3).map { JobID(high: 0, low: $0) }
    var records: [DemoVerdict.Record]
    var events: [UInt64: [Event]] = [:]

    init() {
        records = posted.enumerated().map { .init(job: $1, fence: UInt64($0 + 1), who: "worker-\($0 % 2 + 1)") }
        for node in 1...3 as ClosedRange<UInt64> {
            events[node] = posted.map { Self.event(.posted, $0) } + records.map { Self.event(.consumed, $0.job, $0) }
        }
    }

    static func event(
        _ kind: EventKind, _ job: JobID, _ record: DemoVerdict.Record? = nil, board: String = "default"
    ) -> Event {
        Event(
            position: 0, kind: kind, time: Timestamp(milliseconds: 0), board: board, job: job, name: "n", owner: record?.who,
            fence: record?.fence)
    }

    var findings: [DemoVerdict.Finding] {
        let logs = events.sorted { $0.key < $1.key }.map { node, events in
            var log = DemoVerdict.NodeLog(node: node)
            for event in events { log.add(event, text: Array("\(event)".utf8), board: "default") }
            return log
        }
        let verdict = DemoVerdict(posted: posted, records: records, logs: logs)
        #expect(verdict.isGood == verdict.findings.isEmpty)
        return verdict.findings
    }

    mutating func onEveryNode(_ change: (inout [Event]) -> Void) {
        for node in events.keys { change(&events[node]!) }
    }
}

@Suite struct DemoVerdictTests {
    @Test func everyJobConsumedOnceIsGood() {
        #expect(Play().findings == [])
    }

    @Test func jobsOfOtherBoardsDoNotMatter() {
        var play = Play()
        play.onEveryNode { $0.append(Play.event(.consumed, Play.stranger, board: "probe")) }
        #expect(play.findings == [])
    }

    @Test func aJobThatNobodyRecordedIsFound() {
        var play = Play()
        play.records.remove(at: 1)
        #expect(play.findings == [.notRecorded(play.posted[1])])
    }

    @Test func aJobThatTwoWorkersRecordedIsFound() {
        var play = Play()
        play.records.append(.init(job: play.posted[0], fence: 1, who: "worker-2"))
        #expect(play.findings == [.recordedTwice(play.posted[0], by: ["worker-1", "worker-2"])])
    }

    @Test func aJobThatWasNeverPostedIsFound() {
        var play = Play()
        play.records.append(.init(job: Play.stranger, fence: 7, who: "worker-1"))
        #expect(play.findings == [.recordedUnknown(Play.stranger, by: "worker-1")])
    }

    @Test func aJobConsumedTwiceInTheLogIsFoundOnEveryNode() {
        var play = Play()
        play.onEveryNode { $0.append($0[5]) }
        #expect(play.findings == (1...3).map { .twiceInLog(play.posted[2], times: 2, node: $0) })
    }

    @Test func aJobMissingInOneLogIsFoundAndSoIsTheDifference() {
        var play = Play()
        play.events[2]!.remove(at: 4)
        #expect(
            play.findings == [.notInLog(play.posted[1], node: 2), .logsDiffer(node: 2, from: 1, atEvent: 5)])
    }

    @Test func aStrangerConsumedInTheLogIsFound() {
        var play = Play()
        play.onEveryNode { $0.append(Play.event(.consumed, Play.stranger)) }
        #expect(play.findings == (1...3).map { .unknownInLog(Play.stranger, node: $0) })
    }

    @Test func aLogThatDiffersInOneWordAloneIsFound() {
        var play = Play()
        play.events[3]![0] = Play.event(.posted, play.posted[0], board: "elsewhere")
        #expect(play.findings == [.logsDiffer(node: 3, from: 1, atEvent: 1)])
    }

    @Test func aLogThatEndsEarlyIsFound() {
        var play = Play()
        play.onEveryNode { $0.append(Play.event(.posted, Play.stranger, board: "probe")) }
        play.events[1]!.removeLast()
        #expect(
            play.findings == [.logsDiffer(node: 2, from: 1, atEvent: 7), .logsDiffer(node: 3, from: 1, atEvent: 7)])
    }

    @Test func aWorkerThatWasToldOfAnotherClaimIsFound() {
        var play = Play()
        play.records[0].fence = 5
        #expect(play.findings == (1...3).map { .otherClaim(play.posted[0], recorded: 5, logged: 1, node: $0) })
    }

    @Test func noLogAtAllIsNotGood() {
        var play = Play()
        play.events = [:]
        #expect(play.findings == [.noLog])
    }

    @Test func aRecordReadsBackFromItsLine() throws {
        let job = JobID(high: 1, low: 2)
        let line = #"{"uuid":"\#(job)","fence":18446744073709551615,"who":"a \"b\"","at":"2026-03-01T00:00:00.000Z"}"#
        #expect(try RecordReader.record(Array(line.utf8)) == .init(job: job, fence: .max, who: "a \"b\""))
        #expect(throws: CommandFailure.self) { try RecordReader.record(Array(line.utf8.dropLast())) }
    }
}
