import WireFormat

/// Results of `bench --failover` for people and for scripts.
struct FailoverReport {
    let machine: Machine
    let nodes: Int
    let series: [(inFlight: Int, falls: [FailoverBench.Fall])]
    /// The share of processor time that other machines took, from 0 to 1.
    let stolen: Double

    private static func milliseconds(_ falls: [FailoverBench.Fall], _ time: (FailoverBench.Fall) -> Duration) -> Spread {
        Spread(falls.map { Double(time($0).wholeNanoseconds) / 1_000_000 })
    }

    var table: String {
        var table = TextTable([
            .init("IN FLIGHT", .right), .init("KILLS", .right), .init("GAP", .right), .init("RANGE", .right),
            .init("BACK AFTER", .right), .init("RANGE", .right),
        ])
        for one in series {
            let gap = Self.milliseconds(one.falls, \.gap)
            let back = Self.milliseconds(one.falls, \.back)
            table.add([
                "\(one.inFlight)", "\(one.falls.count)", Figures.fixed(gap.median, 1), Self.range(gap),
                Figures.fixed(back.median, 1), Self.range(back),
            ])
        }
        var text = table.text
        text +=
            "\nms, medians: GAP without an acknowledgement after the leader's death, BACK AFTER the killed node's start it had "
        text += "caught up; \(nodes) nodes, \(machine.cores) cores of \(machine.processor), Linux \(machine.kernel)"
        if let sync = machine.syncMicroseconds { text += ", fdatasync p50 \(Figures.grouped(Int(sync.rounded()))) µs" }
        text += "\n"
        if let disturbance = machine.disturbance(stolen: stolen) { text += disturbance + "\n" }
        return text
    }

    private static func range(_ spread: Spread) -> String {
        "\(Figures.fixed(spread.lowest, 1))–\(Figures.fixed(spread.highest, 1))"
    }

    /// One object on one line. Times are in milliseconds, in the order of the kills.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("mode", "failover")
        writer.field("nodes", UInt64(nodes))
        writer.field("disturbance", machine.disturbance(stolen: stolen))
        writer.key("results")
        writer.beginArray()
        for one in series {
            writer.beginObject()
            writer.field("in_flight", UInt64(one.inFlight))
            for (name, time) in [("gap_ms", \FailoverBench.Fall.gap), ("back_ms", \.back)] {
                writer.key(name)
                writer.beginArray()
                for fall in one.falls {
                    writer.raw(Array(Figures.fixed(Double(fall[keyPath: time].wholeNanoseconds) / 1_000_000, 3).utf8))
                }
                writer.endArray()
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.text
    }
}
