import Foundation
import Jobboard
import WireFormat

/// Reads what the workers recorded, as it comes.
struct RecordReader {
    private struct Source {
        var path: String
        var file: Int32 = -1
        /// The beginning of a line whose end has not been written yet.
        var rest: [UInt8] = []
    }

    private var sources: [Source]
    private(set) var records: [DemoVerdict.Record] = []

    init(paths: [String]) {
        sources = paths.map { Source(path: $0) }
    }

    /// Takes in what was written since the last time.
    mutating func readOn() throws(CommandFailure) {
        for place in sources.indices {
            if sources[place].file < 0 { sources[place].file = open(sources[place].path, O_RDONLY | O_CLOEXEC) }
            guard sources[place].file >= 0 else { continue }
            try readOn(place)
        }
    }

    private mutating func readOn(_ place: Int) throws(CommandFailure) {
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(sources[place].file, &piece, piece.count)
            guard count > 0 else { return }
            sources[place].rest += piece[..<count]
            var lines = sources[place].rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            sources[place].rest = Array(lines.removeLast())
            for line in lines { records.append(try Self.record(Array(line))) }
        }
    }

    static func record(_ line: [UInt8]) throws(CommandFailure) -> DemoVerdict.Record {
        guard let members = try? JSONReader.read(line).members,
            let job = members.first(where: { $0.name == "uuid" })?.value.string.flatMap({ JobID($0) }),
            let fence = members.first(where: { $0.name == "fence" })?.value.unsigned,
            let who = members.first(where: { $0.name == "who" })?.value.string
        else { throw .failed("a worker recorded '\(String(decoding: line, as: UTF8.self))'") }
        return DemoVerdict.Record(job: job, fence: fence, who: who)
    }

    /// Closes the files.
    mutating func close() {
        for place in sources.indices where sources[place].file >= 0 {
            _ = Foundation.close(sources[place].file)
            sources[place].file = -1
        }
    }
}
