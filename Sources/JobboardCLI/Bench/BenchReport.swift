import WireFormat

/// Results of `bench` for people and for scripts.
enum BenchReport {
    static func table(_ results: [BenchResult]) -> String {
        var columns = [TextTable.Column("IN FLIGHT", .right), .init("LIVES/S", .right)]
        for step in ["POST", "CLAIM", "CONSUME"] {
            columns += [.init("\(step) P50", .right), .init("P99", .right), .init("MAX", .right)]
        }
        var table = TextTable(columns)
        for result in results {
            let latencies = [result.post, result.claim, result.consume].flatMap { [$0.p50, $0.p99, $0.max] }
            table.add(
                ["\(result.inFlight)", Figures.grouped(Int(result.livesPerSecond))]
                    + latencies.map { Figures.grouped(Int($0.rounded())) })
        }
        return table.text + "latencies in µs\n"
    }

    static func json(_ results: [BenchResult], _ command: BenchCommand) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("details_bytes", UInt64(command.detailsBytes))
        writer.field("connections", UInt64(command.connections))
        writer.key("results")
        writer.beginArray()
        for result in results { write(result, &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.text
    }

    private static func write(_ result: BenchResult, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("in_flight", UInt64(result.inFlight))
        writer.field("lives", UInt64(result.lives))
        writer.field("measured_ms", UInt64(result.seconds * 1000))
        writer.field("lives_per_second", UInt64(result.livesPerSecond))
        for (name, latency) in [("post", result.post), ("claim", result.claim), ("consume", result.consume)] {
            writer.key("\(name)_us")
            writer.beginObject()
            writer.field("p50", UInt64(latency.p50.rounded()))
            writer.field("p99", UInt64(latency.p99.rounded()))
            writer.field("max", UInt64(latency.max.rounded()))
            writer.endObject()
        }
        writer.endObject()
    }
}
