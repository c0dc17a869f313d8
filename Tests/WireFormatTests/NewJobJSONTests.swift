import Jobboard
import Testing
import WireFormat

struct NewJobJSONTests {
    private let fallback = JobID(high: 7, low: 8)

    private func read(_ text: String) throws(JobboardError) -> NewJob {
        try NewJobJSON.read(Array(text.utf8), otherwise: fallback)
    }

    @Test func aNameIsEnough() throws {
        #expect(try read(#"{"name":"n"}"#) == NewJob(id: fallback, name: "n"))
    }

    @Test func nullIsAsGoodAsAbsent() throws {
        let text = #"""
            {"name":"n","uuid":null,"details":null,"book":null,"priority":null,"key":null,"not_before":null,"delay_ms":null,
             "expires_after_ms":null,"lease_ms":null,"max_failures":null,"max_lost_claims":null}
            """#
        #expect(try read(text) == NewJob(id: fallback, name: "n"))
    }

    @Test func everyKeyIsRead() throws {
        let text = #"""
            {"max_lost_claims":5,"max_failures":4,"lease_ms":3,"expires_after_ms":2,"delay_ms":300,"not_before":"1970-01-01T00:00:01Z","key":"k",
             "priority":"HIGH","book":{"name":"b","uuid":"00112233-4455-4677-8899-AABBCCDDEEFF"},"details":{},
             "uuid":"00112233-4455-4677-8899-aabbccddeeff","name":"n"}
            """#
        #expect(try read(text) == GoldenSamples.fullNewJob)
    }

    @Test func `a printed job is read, without what the board wrote into it`() throws {
        var writer = JSONWriter()
        writer.write(GoldenSamples.fullJob, duplicate: true)
        let job = try read(writer.text)
        let printed = GoldenSamples.fullJob
        #expect(job.id == printed.id && job.name == printed.name && job.details == printed.details && job.book == printed.book)
        #expect(
            job.priority == printed.priority && job.key == printed.key && job.maxFailures == printed.maxFailures
                && job.maxLostClaims == printed.maxLostClaims)
        #expect(job.notBefore == printed.notBefore && job.expiresAfterMilliseconds == nil)
    }

    @Test(arguments: [#"{ "b" : 1.50, "a":[ 1,2 ], "b":"\u00e9" }"#, "[ ]", "\"x\"", "-0.0", "false", "123456789012345678901"])
    func detailsAreKeptByteForByte(_ details: String) throws {
        #expect(try read("{\"name\":\"n\", \"details\" :  \(details)  }").details == Array(details.utf8))
    }

    @Test func anItemOfAListIsReadWithItsDetails() throws {
        let text = Array(#"[{"name":"a"},{"name":"b","details": {"x":1} }]"#.utf8)
        let items = try #require(JSONReader.read(text).items)
        let jobs = try items.map { try NewJobJSON.read($0, of: text, otherwise: fallback) }
        #expect(jobs.map(\.name) == ["a", "b"])
        #expect(jobs[1].details == Array(#"{"x":1}"#.utf8))
    }

    @Test(arguments: [
        ("", "not JSON: expected a value at byte 0"),
        ("{\"name\":\"n\"} x", "not JSON: expected the end at byte 13"),
        ("[]", "a job must be an object"),
        ("\"n\"", "a job must be an object"),
        ("{}", "\"name\" is missing"),
        (#"{"name":null}"#, "\"name\" must be a string"),
        (#"{"name":1}"#, "\"name\" must be a string"),
        (#"{"name":"n","name":"m"}"#, "\"name\" is there twice"),
        (#"{"name":"n","x":1}"#, "unknown key \"x\""),
        (#"{"name":"n","Name":1}"#, "unknown key \"Name\""),
        (#"{"name":"n","a\nb":1}"#, #"unknown key "a\nb""#),
        (#"{"name":"n","uuid":"1"}"#, "\"uuid\" must be a UUID of 36 characters"),
        (#"{"name":"n","uuid":1}"#, "\"uuid\" must be a UUID of 36 characters"),
        (#"{"name":"n","priority":"high"}"#, "\"priority\" must be one of VERY_HIGH, HIGH, NORMAL, LOW, VERY_LOW"),
        (#"{"name":"n","priority":1}"#, "\"priority\" must be one of VERY_HIGH, HIGH, NORMAL, LOW, VERY_LOW"),
        (#"{"name":"n","key":[]}"#, "\"key\" must be a string"),
        (#"{"name":"n","not_before":"tomorrow"}"#, "\"not_before\" must be a time such as \"2026-03-01T12:00:00.250Z\""),
        (#"{"name":"n","delay_ms":"5s"}"#, "\"delay_ms\" must be a whole number from 0 to 18446744073709551615"),
        (#"{"name":"n","delay_ms":-1}"#, "\"delay_ms\" must be a whole number from 0 to 18446744073709551615"),
        (#"{"name":"n","expires_after_ms":1.5}"#, "\"expires_after_ms\" must be a whole number from 0 to 18446744073709551615"),
        (#"{"name":"n","lease_ms":4294967296}"#, "\"lease_ms\" must be a whole number from 0 to 4294967295"),
        (#"{"name":"n","max_failures":true}"#, "\"max_failures\" must be a whole number from 0 to 4294967295"),
        (#"{"name":"n","book":"b"}"#, "\"book\" must be an object with \"uuid\" and \"name\""),
        (#"{"name":"n","book":{}}"#, "\"book\" must have \"uuid\" and \"name\""),
        (#"{"name":"n","book":{"name":"b"}}"#, "\"book\" must have \"uuid\" and \"name\""),
        (#"{"name":"n","book":{"uuid":"b","name":"b"}}"#, "\"book.uuid\" must be a UUID of 36 characters"),
        (#"{"name":"n","book":{"name":5}}"#, "\"book.name\" must be a string"),
        (#"{"name":"n","book":{"name":"b","name":"b"}}"#, "\"book.name\" is there twice"),
        (#"{"name":"n","book":{"page":5}}"#, "unknown key \"book.page\""),
    ])
    func whatIsWrongIsSaidInOneLine(_ text: String, _ message: String) {
        #expect(throws: JobboardError(.invalidArgument, message)) { try read(text) }
    }
}
