/// What a run came to, as text.
struct StrangersReport {
    let run: StrangersRun
    let ending: StrangersRun.Ending
    let findings: [String]
    let keptFolder: String?

    private func times(_ phase: HonestClient.Phase) -> BenchTimes { ending.honest.times[phase.rawValue] }

    /// How many times longer the honest client's slowest hundredth took under attack; nil without enough calls.
    var ratio: Double? {
        let (quiet, attack) = (times(.quiet), times(.attack))
        guard quiet.count >= 100, attack.count >= 100, quiet.percentiles.p99 > 0 else { return nil }
        return attack.percentiles.p99 / quiet.percentiles.p99
    }

    var text: String {
        var lines = ["", attackTable, nodeTable, honestTable]
        let honest = ending.honest
        lines.append(
            "honest    \(Figures.grouped(honest.calls)) calls succeeded, \(honest.slowCalls) of them after more than 1 s; "
                + "\(honest.failed) failed; "
                + "\(Figures.grouped(honest.consumed.count)) jobs consumed"
                + (run.mayBeFull ? "; \(honest.readOnly) posts refused for want of room" : "") + "\n")
        let ratio = ratio.map { "\(Figures.fixed($0, 1)) times the quiet value" } ?? "too few calls to say"
        lines.append("p99       \(ratio) (aim: 5)\n")
        lines.append("leaders   \(ending.elections) elections under attack\n")
        if findings.isEmpty {
            lines.append("verdict   GOOD: no node ended, and the honest client noticed nothing but time\n")
        } else {
            lines.append("verdict   BAD: \(findings.count) findings\n")
            lines += findings.map { "          \($0)\n" }
        }
        if let keptFolder { lines.append("kept      \(keptFolder)\n") }
        return lines.joined(separator: "")
    }

    private var attackTable: String {
        var table = TextTable([
            .init("ATTACK"), .init("CONNECTIONS", .right), .init("CLOSED BY NODE", .right), .init("SENT", .right),
            .init("BYTES", .right), .init("ANSWERED", .right), .init("REFUSED", .right),
        ])
        for kind in run.attacks {
            let tally = ending.tallies[kind] ?? AttackTally()
            table.add(
                [kind.rawValue] + [tally.connections, tally.closed, tally.sent].map { Figures.grouped($0) }
                    + [Figures.bytes(UInt64(tally.sentBytes))] + [tally.answered, tally.refused].map { Figures.grouped($0) })
        }
        return "\n" + table.text
    }

    private var nodeTable: String {
        var table = TextTable([
            .init("NODE", .right), .init("MOST MEMORY", .right), .init("LIMIT", .right), .init("MOST DESCRIPTORS", .right),
        ])
        for (place, peak) in ending.peaks.enumerated() {
            table.add([
                "\(place + 1)", Figures.bytes(peak.memoryBytes), Figures.bytes(run.memoryLimit), "\(peak.descriptors)",
            ])
        }
        return "\n" + table.text
    }

    private var honestTable: String {
        var table = TextTable([
            .init("HONEST CLIENT"), .init("CALLS", .right), .init("P50", .right), .init("P99", .right), .init("MOST", .right),
        ])
        for (title, phase) in [("quiet", HonestClient.Phase.quiet), ("under attack", .attack), ("afterwards", .after)] {
            let percentiles = times(phase).percentiles
            table.add(
                [title, Figures.grouped(times(phase).count)]
                    + [percentiles.p50, percentiles.p99, percentiles.max].map { Figures.fixed($0 / 1000, 1) + " ms" })
        }
        return "\n" + table.text + "\n"
    }
}
