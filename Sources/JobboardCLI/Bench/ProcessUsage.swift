import Foundation

/// What a process of this machine has used so far, as `/proc` tells.
struct ProcessUsage: Sendable, Equatable {
    /// Processor time, in seconds.
    var cpuSeconds: Double
    /// The most memory it ever had, in bytes.
    var peakBytes: UInt64

    /// Nil when there is no such process.
    static func read(pid: Int32) -> ProcessUsage? {
        guard let stat = text("/proc/\(pid)/stat"), let status = text("/proc/\(pid)/status") else { return nil }
        return parse(stat: stat, status: status, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    /// From the contents of the two files; see proc(5).
    static func parse(stat: String, status: String, ticksPerSecond: Double) -> ProcessUsage? {
        // The second field is the program's name in parentheses, in which anything may stand.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { UInt64($0) }
        return ProcessUsage(cpuSeconds: (user + system) / ticksPerSecond, peakBytes: (peak ?? 0) * 1024)
    }

    private static func text(_ path: String) -> String? {
        try? String(contentsOfFile: path, encoding: .utf8)
    }
}
