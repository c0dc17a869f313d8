import Jobboard
import NodeServer
import Simulation
import WireFormat

extension FuzzTarget {
    /// The reader, against the board's own check of JSON and against the writer.
    static let json = FuzzTarget("json") { text in
        guard let value = try? JSONReader.read(text) else {
            // The grammar allows half a surrogate pair (RFC 8259, section 8.2); the reader, which makes text of it, does not.
            let hasSurrogate = String(decoding: text, as: UTF8.self).lowercased().contains("\\ud")
            hold(hasSurrogate || !JSONSyntax.isValid(text), "the board takes what the reader refuses")
            return
        }
        hold(JSONSyntax.isValid(text), "the reader takes what the board refuses")
        var writer = JSONWriter()
        writer.value(value)
        let again = try? JSONReader.read(writer.bytes)
        hold(again.map { $0.sameContent(as: value) } ?? false, "a value does not survive the way")
    }

    static let jobJSON = FuzzTarget("job-json") { text in
        guard let job = try? NewJobJSON.read(text, otherwise: JobID(high: 1, low: 2)) else { return }
        hold(job.details.isEmpty || JSONSyntax.isValid(job.details), "details that are no JSON")
        let call = SessionCommand(session: 1, sequence: 1, acknowledgedBelow: 1, command: .post(board: "b", jobs: [job]))
        let back = try? CommandCodec.encode([call]).withUnsafeBytes { try CommandCodec.decode($0, count: 1) }
        hold(back == [call], "a job does not survive the way")
    }

    /// Times and identities.
    static let texts = FuzzTarget("texts", maximumBytes: 64) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        // Offsets lead a little beyond the years that can be said.
        if let time = RFC3339.parse(text), (-62_167_219_200_000...253_402_300_799_999).contains(time.milliseconds) {
            hold(RFC3339.parse(RFC3339.text(time)) == time, "\(text) does not survive the way")
        }
        if let id = JobID(text) { hold(JobID(id.description) == id, "\(text) does not survive the way") }
    }

    /// A history, and the checker that is given it.
    static let history = FuzzTarget("history") { bytes in
        var history: [Simulation.Operation] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let operation = try? HistoryText.read(Array(line)) else { continue }
            var writer = JSONWriter()
            HistoryText.append(operation, to: &writer)
            let back = try? HistoryText.read(writer.bytes)
            hold(back == operation, "\(operation) does not survive the way")
            history.append(operation)
        }
        for slack in [nil, 0, 2_000_000] as [UInt64?] {
            var checker = LinearizabilityChecker(clockSlack: slack)
            checker.effort = 2000
            let verdict = checker.check(history)
            hold(verdict.operations == history.count, "operations got lost")
        }
    }

    static let config = FuzzTarget("config") { text in
        guard let configuration = try? ClusterConfiguration.read(text) else { return }
        hold([1, 3, 5, 7].contains(configuration.nodes.count), "\(configuration.nodes.count) nodes")
        hold(Set(configuration.nodes.map(\.id)).count == configuration.nodes.count, "two nodes of one number")
        hold(configuration.segmentBytes % 4096 == 0, "segments of \(configuration.segmentBytes) bytes")
        hold(configuration.clientAddresses.count == configuration.nodes.count, "a node without an address")
    }
}

extension JSONWriter {
    fileprivate mutating func value(_ value: JSONValue) {
        switch value.content {
        case .null: null()
        case .bool(let bool): self.bool(bool)
        case .number(let text): raw(Array(text.utf8))
        case .string(let text): string(text)
        case .array(let items):
            beginArray()
            for item in items { self.value(item) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members {
                key(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }
}

extension JSONValue {
    /// Equal wherever they stood.
    fileprivate func sameContent(as other: JSONValue) -> Bool {
        switch (content, other.content) {
        case (.array(let mine), .array(let others)):
            mine.count == others.count && zip(mine, others).allSatisfy { $0.sameContent(as: $1) }
        case (.object(let mine), .object(let others)):
            mine.count == others.count
                && zip(mine, others).allSatisfy { $0.name == $1.name && $0.value.sameContent(as: $1.value) }
        default: content == other.content
        }
    }
}
