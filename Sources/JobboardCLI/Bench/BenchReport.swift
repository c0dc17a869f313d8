import WireFormat

/// Results of `bench` for people and for scripts.
struct BenchReport {
    let machine: Machine
    let series: [BenchSeries]
    let command: BenchCommand

    private var stolen: Double { series.flatMap(\.results).map(\.stolen).max() ?? 0 }

    // MARK: For people

    var table: String {
        var text = speeds
        if command.mode.commands(batch: command.batch) > 0 { text += "\n" + costs }
        text += "\nlatencies in µs; \(machine.cores) cores of \(machine.processor), Linux \(machine.kernel)"
        if let sync = machine.syncMicroseconds { text += ", fdatasync p50 \(Figures.grouped(Int(sync.rounded()))) µs" }
        text += "\n"
        if let disturbance = machine.disturbance(stolen: stolen) { text += disturbance + "\n" }
        return text
    }

    private var speeds: String {
        var table = TextTable([
            .init("IN FLIGHT", .right), .init("\(command.mode.unit.uppercased())/S", .right), .init("RANGE", .right),
            .init("OPERATION"), .init("P50", .right), .init("P99", .right), .init("P99.9", .right), .init("MAX", .right),
        ])
        for one in series {
            let speed = one.perSecond
            var head = [
                "\(one.inFlight)", Self.whole(speed.median), "\(Self.whole(speed.lowest))–\(Self.whole(speed.highest))",
            ]
            for (operation, latency) in one.latencies {
                table.add(head + [operation] + [latency.p50, latency.p99, latency.p999, latency.max].map(Self.whole))
                head = ["", "", ""]
            }
        }
        return table.text
    }

    private var costs: String {
        var table = TextTable([
            .init("IN FLIGHT", .right), .init("SYNCS/JOB", .right), .init("ENTRIES/JOB", .right), .init("COMMANDS/ENTRY", .right),
            .init("RAW B/JOB", .right), .init("STORED B/JOB", .right), .init("NODES' CPU µS/JOB", .right),
            .init("CLIENT'S", .right), .init("NODE'S PEAK", .right), .init("CLIENT'S", .right),
        ])
        for one in series {
            func median(_ figure: (BenchCosts) -> Double, _ digits: Int) -> String {
                Figures.fixed(one.spread { figure($0.costs) }.median, digits)
            }
            let nodes = one.measuredNodes
            let usage = (0..<nodes).map { node in median({ $0.nodeMicroseconds[node] }, 1) }.joined(separator: " ")
            let peaks = one.results.map(\.costs)
            let peakNode = peaks.map(\.peakNodeBytes).max() ?? 0
            table.add([
                "\(one.inFlight)", median(\.syncs, 3), median(\.entries, 3), median(\.batch, 1), median(\.rawBytes, 0),
                median(\.storedBytes, 0), nodes > 0 ? usage : "-", median(\.clientMicroseconds, 1),
                nodes > 0 ? Figures.bytes(peakNode) : "-", Figures.bytes(peaks.map(\.peakClientBytes).max() ?? 0),
            ])
        }
        return table.text
    }

    private static func whole(_ number: Double) -> String {
        Figures.grouped(Int(number.rounded()))
    }

    // MARK: For scripts

    /// One object on one line. Latencies and processor time are in microseconds.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("mode", command.mode.rawValue)
        writer.field("details_bytes", UInt64(command.detailsBytes))
        writer.field("connections", UInt64(command.connections))
        writer.field("held", UInt64(command.held))
        writer.key("machine")
        writeMachine(&writer)
        writer.key("results")
        writer.beginArray()
        for one in series { Self.write(one, &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.text
    }

    private func writeMachine(_ writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("cores", UInt64(machine.cores))
        writer.field("processor", machine.processor)
        writer.field("kernel", machine.kernel)
        writer.decimal("sync_p50_us", machine.syncMicroseconds)
        writer.decimal("load", machine.load)
        writer.decimal("stolen", stolen)
        writer.field("disturbance", machine.disturbance(stolen: stolen))
        writer.endObject()
    }

    private static func write(_ one: BenchSeries, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("in_flight", UInt64(one.inFlight))
        writer.field("repetitions", UInt64(one.results.count))
        writer.spread("per_second", one.perSecond)
        writer.key("latencies_us")
        writer.beginArray()
        for (place, operation) in one.mode.operations.enumerated() {
            writer.beginObject()
            writer.field("operation", operation)
            writer.spread("p50", one.spread { $0.latencies[place].p50 })
            writer.spread("p99", one.spread { $0.latencies[place].p99 })
            writer.spread("p99.9", one.spread { $0.latencies[place].p999 })
            writer.spread("max", one.spread { $0.latencies[place].max })
            writer.endObject()
        }
        writer.endArray()
        writer.key("costs_per_job")
        write(costs: one, &writer)
        writer.endObject()
    }

    private static func write(costs one: BenchSeries, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.spread("syncs", one.spread(\.costs.syncs))
        writer.spread("entries", one.spread(\.costs.entries))
        writer.spread("commands_per_entry", one.spread(\.costs.batch))
        writer.spread("raw_bytes", one.spread(\.costs.rawBytes))
        writer.spread("stored_bytes", one.spread(\.costs.storedBytes))
        writer.key("node_cpu_us")
        writer.beginArray()
        for node in 0..<one.measuredNodes {
            writer.raw(Array(Figures.fixed(one.spread { $0.costs.nodeMicroseconds[node] }.median, 1).utf8))
        }
        writer.endArray()
        writer.spread("client_cpu_us", one.spread(\.costs.clientMicroseconds))
        writer.field("peak_node_bytes", one.results.map(\.costs.peakNodeBytes).max())
        writer.field("peak_client_bytes", one.results.map(\.costs.peakClientBytes).max())
        writer.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func decimal(_ name: String, _ value: Double?) {
        key(name)
        if let value { raw(Array(Figures.fixed(value, 3).utf8)) } else { null() }
    }

    fileprivate mutating func spread(_ name: String, _ spread: Spread) {
        key(name)
        beginObject()
        decimal("median", spread.median)
        decimal("lowest", spread.lowest)
        decimal("highest", spread.highest)
        endObject()
    }
}
