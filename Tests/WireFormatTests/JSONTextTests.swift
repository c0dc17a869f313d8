import Jobboard
import Testing
import WireFormat

/// What scripts parse: every key, its order, and `null` for what is absent.
struct JSONTextTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return writer.text
    }

    @Test func aJobWithNothingOptionalHasEveryKeyAsNull() {
        #expect(
            text { $0.write(GoldenSamples.bareJob) } == #"{"uuid":"00112233-4455-4677-8899-aabbccddeeff","board":"d","name":"n","#
                + #""state":"UNCLAIMED","priority":"NORMAL","details":null,"book":null,"created_on":"1970-01-01T00:00:01.000Z","#
                + #""last_modified":"1969-12-31T23:59:59.999Z","position":7,"owner":null,"fence":null,"lease_until":null,"#
                + #""not_before":null,"expires_on":null,"key":null,"claims":0,"failures":0,"max_failures":null,"#
                + #""last_failure":null,"result":null,"lost_claims":0,"max_lost_claims":null}"#)
    }

    @Test func aJobWithEverythingShowsEverything() {
        #expect(
            text { $0.write(GoldenSamples.fullJob, duplicate: true) }
                == #"{"uuid":"00112233-4455-4677-8899-aabbccddeeff","board":"d","name":"n","state":"CLAIMED","#
                + #""priority":"VERY_LOW","details":{},"book":{"uuid":"00112233-4455-4677-8899-aabbccddeeff","name":"b"},"#
                + #""created_on":"1970-01-01T00:00:01.000Z","last_modified":"1970-01-01T00:00:02.000Z","position":7,"owner":"w","#
                + #""fence":9,"lease_until":"1970-01-01T00:00:03.000Z","not_before":"1970-01-01T00:00:00.001Z","#
                + #""expires_on":"1970-01-01T00:00:00.002Z","key":"k","claims":2,"failures":1,"max_failures":4,"#
                + #""last_failure":"f","result":[],"lost_claims":5,"max_lost_claims":6,"duplicate":true}"#)
    }

    @Test func anEventIsOneLine() {
        let paused = Event(
            position: 6, kind: .posted, time: Timestamp(milliseconds: 0), board: "d", job: GoldenSamples.id, name: "a\nb")
        let lines = text {
            $0.write(GoldenSamples.event)
            $0.endLine()
            $0.write(paused)
            $0.endLine()
        }
        #expect(
            lines == #"{"position":5,"event":"FAILED","board":"d","job":"00112233-4455-4677-8899-aabbccddeeff","name":"n","#
                + #""at":"1970-01-01T00:00:01.000Z","who":"w","fence":9,"failure":"f"}"# + "\n"
                + #"{"position":6,"event":"POSTED","board":"d","job":"00112233-4455-4677-8899-aabbccddeeff","name":"a\nb","#
                + #""at":"1970-01-01T00:00:00.000Z","who":null,"fence":null,"failure":null}"# + "\n")
    }

    @Test func anErrorSaysItsCodeMessageOutcomeAndOwner() {
        #expect(
            text { $0.write(JobboardError(.unclaimable, "held by \"w1\"", owner: "w1")) }
                == #"{"error":{"code":"unclaimable","message":"held by \"w1\"","outcome":"not_applied","owner":"w1"}}"#)
        #expect(
            text { $0.write(JobboardError(.unavailable, "m", outcome: .unknown)) }
                == #"{"error":{"code":"unavailable","message":"m","outcome":"unknown","owner":null}}"#)
    }

    @Test func aStatusShowsTheNodeAndItsMembers() {
        #expect(
            text { $0.write(GoldenSamples.status) }
                == #"{"cluster":"c","node":1,"role":"leader","leader":1,"term":2,"last_index":3,"commit":4,"applied":5,"#
                + #""position":6,"raw_bytes":7,"stored_bytes":8,"disk_bytes":9,"syncs":10,"sync_p99_microseconds":11,"#
                + #""unclaimed":12,"claimed":13,"complete":14,"trashed":15,"members":[{"node":1,"client_address":"h:1","#
                + #""reachable":true,"datagrams":true,"durable":16},{"node":2,"client_address":"h:2","reachable":true,"#
                + #""datagrams":false,"durable":0}],"snapshot_index":2,"snapshot_digest":"0000000000000000000000000000feed","#
                + #""room":"ample","cluster_room":"ample","read_only":false,"short_of_memory":false,"#
                + #""repair":{"missing_blocks":0,"unobtainable_blocks":0,"mended_blocks":0,"mended_snapshots":0,"#
                + #""scrubbed_bytes":0,"scrub_rounds":0,"waits_for":[],"reason":null},"budgets":{}}"#)
    }

    @Test func stringsAreEscapedWhereTheyMustBeAndNowhereElse() {
        let all = "\u{0}\u{1f}\u{8}\t\n\u{c}\r\"\\/\u{7f}é字😀\u{2028}"
        #expect(text { $0.string(all) } == #""\u0000\u001f\b\t\n\f\r\"\\/"# + "\u{7f}é字😀\u{2028}\"")
    }

    @Test func everyStringComesBackThroughTheReader() throws {
        var dice = Dice(seed: 30)
        for _ in 0..<500 {
            let one = dice.text()
            var writer = JSONWriter()
            writer.string(one)
            let back = try #require(JSONReader.read(writer.bytes).string)
            #expect(Array(back.utf8) == Array(one.utf8))
        }
    }

    @Test func foreignJSONIsKeptByteForByteOnOneLine() {
        let json = "{ \"a\" :\r\n [1.50,\t2e3] }"
        #expect(text { $0.raw(Array(json.utf8)) } == "{ \"a\" :   [1.50,\t2e3] }")
        #expect(text { $0.raw([]) } == "null")
    }

    @Test func jobsAreJSONThatAnyReaderTakes() throws {
        var dice = Dice(seed: 31)
        for _ in 0..<300 {
            var job = dice.job()
            let details = Array(#"{"n":[1,{"x":null}]}"#.utf8)
            job = Job(
                id: job.id, board: job.board, name: job.name, details: details, priority: job.priority,
                createdOn: job.createdOn, position: job.position, state: job.state, lastModified: job.lastModified,
                owner: job.owner, fence: job.fence, leaseUntil: job.leaseUntil, claims: job.claims, failures: job.failures)
            var writer = JSONWriter()
            writer.write(job)
            let members = try #require(JSONReader.read(writer.bytes).members)
            let value = { (name: String) in members.first { $0.name == name }?.value }
            #expect(members.count == 23)
            #expect(value("name")?.string == job.name)
            #expect(value("fence")?.unsigned == job.fence)
            #expect(value("details").map { Array(writer.bytes[$0.range]) } == details)
        }
    }
}
