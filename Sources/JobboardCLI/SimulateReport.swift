import Foundation
import Simulation
import WireFormat

/// Results of `simulate` for people and for scripts.
enum SimulateReport {
    static func lines(_ failure: SimulationFailure) -> [String] {
        var lines = ["seed \(failure.seed) of \(failure.nodes) nodes: \(failure.violation)"]
        lines.append("  after \(failure.milliseconds) simulated ms and \(failure.steps) steps")
        let faults = failure.neededFaults.isEmpty ? "no faults at all" : failure.neededFaults.joined(separator: ", ")
        lines.append("  with \(faults)")
        if !failure.schedule.isEmpty {
            lines.append("  what must strike:")
            lines += failure.schedule.map { "    " + $0 }
        }
        lines.append("  the last events:")
        return lines + failure.lastEvents.map { "    " + $0 }
    }

    private static func hoursPerMinute(_ sweep: SimulationSweep, _ seconds: Double) -> Double {
        Double(sweep.simulatedMilliseconds) / 3_600_000 / max(seconds, 0.001) * 60
    }

    private static func hash(_ sweep: SimulationSweep) -> String {
        let digits = String(sweep.hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func table(_ sweep: SimulationSweep, _ seconds: Double) -> String {
        var figures = TextTable([.init("RUN"), .init("", .right)])
        figures.add(["nodes", "\(sweep.nodes)"])
        figures.add(["seeds", Figures.grouped(sweep.runs)])
        figures.add(["violations", Figures.grouped(sweep.failures.count)])
        figures.add(["steps", Figures.grouped(sweep.steps)])
        figures.add(["simulated hours", Figures.fixed(Double(sweep.simulatedMilliseconds) / 3_600_000, 1)])
        figures.add(["simulated hours a minute", Figures.fixed(hoursPerMinute(sweep, seconds), 1)])
        figures.add(["requests acknowledged", Figures.grouped(sweep.acknowledged)])
        figures.add(["operations checked", Figures.grouped(sweep.checkedOperations)])
        figures.add(["slowest leader, ms", Figures.grouped(sweep.slowestLeader)])
        figures.add(["slowest healing, ms", Figures.grouped(sweep.slowestHealing)])
        figures.add(["hash", hash(sweep)])
        let injected = sights(sweep, "INJECTED") { $0.isInjected }
        let seen = sights(sweep, "SEEN") { !$0.isInjected }
        return figures.text + "\n" + injected + "\n" + seen + neverMet(sweep)
    }

    private static func neverMet(_ sweep: SimulationSweep) -> String {
        guard !sweep.neverMet.isEmpty else { return "" }
        return "\nNEVER MET: " + sweep.neverMet.map(name).joined(separator: ", ") + "\n"
    }

    private static func name(_ sight: Sight) -> String { sight.rawValue.replacingOccurrences(of: "_", with: " ") }

    private static func sights(_ sweep: SimulationSweep, _ title: String, _ belongs: (Sight) -> Bool) -> String {
        var table = TextTable([.init(title), .init("TIMES", .right), .init("IN RUNS", .right)])
        for sight in Sight.allCases where belongs(sight) {
            guard sight.canBeMet(nodes: sweep.nodes) || sweep.sights[sight] > 0 else { continue }
            table.add([name(sight), Figures.grouped(sweep.sights[sight]), Figures.grouped(sweep.runsWith[sight])])
        }
        return table.text
    }

    static func json(_ sweep: SimulationSweep, first: UInt64, _ seconds: Double) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("nodes", UInt64(sweep.nodes))
        writer.field("first_seed", first)
        writer.field("seeds", sweep.runs)
        writer.field("steps", sweep.steps)
        writer.field("simulated_ms", sweep.simulatedMilliseconds)
        writer.field("wall_ms", UInt64(seconds * 1000))
        writer.field("acknowledged", UInt64(sweep.acknowledged))
        writer.field("checked_operations", UInt64(sweep.checkedOperations))
        writer.field("slowest_leader_ms", sweep.slowestLeader)
        writer.field("slowest_healing_ms", sweep.slowestHealing)
        writer.field("hash", hash(sweep))
        for (key, counts) in [("times", sweep.sights), ("in_runs", sweep.runsWith)] {
            writer.key(key)
            writer.beginObject()
            for sight in Sight.allCases { writer.field(sight.rawValue, counts[sight]) }
            writer.endObject()
        }
        writer.key("never_met")
        writer.beginArray()
        for sight in sweep.neverMet { writer.string(sight.rawValue) }
        writer.endArray()
        writer.key("violations")
        writer.beginArray()
        for failure in sweep.failures { write(failure, &writer) }
        writer.endArray()
        writer.endObject()
        writer.endLine()
        return writer.text
    }

    private static func write(_ failure: SimulationFailure, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("seed", failure.seed)
        writer.field("violation", failure.violation)
        writer.field("simulated_ms", failure.milliseconds)
        writer.field("steps", failure.steps)
        writer.key("needed_faults")
        writer.beginArray()
        for fault in failure.neededFaults { writer.string(fault) }
        writer.endArray()
        writer.key("schedule")
        writer.beginArray()
        for fault in failure.schedule { writer.string(fault) }
        writer.endArray()
        writer.key("last_events")
        writer.beginArray()
        for event in failure.lastEvents { writer.string(event) }
        writer.endArray()
        writer.endObject()
    }
}
