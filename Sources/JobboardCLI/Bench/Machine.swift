import Foundation

/// The machine that measured, and whether it had anything else to do.
struct Machine: Sendable, Equatable {
    var cores: Int
    var processor: String
    var kernel: String
    /// The median of small writes with fdatasync in the folder asked for, in microseconds; nil when it can't be written.
    var syncMicroseconds: Double?
    /// Runnable processes over the last minute, before the measurement.
    var load: Double

    /// Processor time of all cores since the start, in ticks.
    struct Ticks: Sendable, Equatable {
        var all: UInt64
        var stolen: UInt64

        /// The share that other machines took in between, from 0 to 1.
        func share(since before: Ticks) -> Double {
            guard all > before.all, stolen >= before.stolen else { return 0 }
            return Double(stolen - before.stolen) / Double(all - before.all)
        }
    }

    static func look(syncsIn folder: String) -> Machine {
        Machine(
            cores: ProcessInfo.processInfo.activeProcessorCount, processor: processor(in: text("/proc/cpuinfo")),
            kernel: text("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines),
            syncMicroseconds: measureSyncs(in: folder), load: load(in: text("/proc/loadavg")))
    }

    static func stolen() -> Ticks {
        ticks(in: text("/proc/stat"))
    }

    static func processor(in cpuinfo: String) -> String {
        let line = cpuinfo.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("Model") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    }

    static func load(in loadavg: String) -> Double {
        loadavg.split(separator: " ").first.flatMap { Double($0) } ?? 0
    }

    /// From the line of all cores: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)); guests count as users.
    static func ticks(in stat: String) -> Ticks {
        let fields = stat.split(separator: "\n").first?.split(separator: " ").dropFirst().prefix(8).map { UInt64($0) ?? 0 } ?? []
        return Ticks(all: fields.reduce(0, &+), stolen: fields.count > 7 ? fields[7] : 0)
    }

    /// Why the figures may be worse than the machine, if so. `stolen`: the largest share in any measurement.
    func disturbance(stolen: Double) -> String? {
        var reasons: [String] = []
        if load > Double(cores) / 4 { reasons.append("the load was \(Figures.fixed(load, 2)) before it began") }
        if stolen > 0.01 { reasons.append("other machines took \(Figures.fixed(stolen * 100, 1)) % of the processor") }
        return reasons.isEmpty ? nil : "not a quiet machine: " + reasons.joined(separator: ", ")
    }

    private static func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    private static func measureSyncs(in folder: String) -> Double? {
        var template = Array("\(folder)/bench-sync-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { return nil }
        unlink(template)
        defer { close(file) }
        let page = [UInt8](repeating: 0x5a, count: 4096)
        // Written once before, so that only overwriting is measured, as the log does it.
        let pages = 64
        for place in 0..<pages { guard pwrite(file, page, page.count, place * page.count) == page.count else { return nil } }
        guard fsync(file) == 0 else { return nil }
        var times: [Double] = []
        for place in 0..<pages {
            let start = ContinuousClock.now
            guard pwrite(file, page, page.count, place * page.count) == page.count, fdatasync(file) == 0 else { return nil }
            times.append(Double((ContinuousClock.now - start).wholeNanoseconds) / 1000)
        }
        return Spread(times).median
    }
}
