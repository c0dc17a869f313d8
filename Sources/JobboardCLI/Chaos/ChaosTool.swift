import Foundation

/// Helper programs of the system, such as `ip`: run to their end, one at a time.
enum ChaosTool {
    /// Runs a program and waits, on the calling thread; for what takes milliseconds.
    /// - Parameter scratch: a file for what it says on standard error.
    /// - Throws: what it said, when it ended with anything but 0.
    static func run(_ command: [String], scratch: String) throws(CommandFailure) {
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        let errors = open(scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        defer { for file in [nothing, errors] where file >= 0 { close(file) } }
        guard nothing >= 0, errors >= 0 else { throw .failed("can't write \(scratch)") }
        let pid = try Spawn.start(
            command, environment: ["PATH": searchPath],
            streams: Spawn.Streams(input: nothing, output: nothing, error: errors))
        let process = RunningProcess(pid: pid)
        let end = process.wait()
        guard end != .exited(0) else { return }
        let said = FileManager.default.contents(atPath: scratch).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = said.split(whereSeparator: \.isNewline).first.map(String.init) ?? "\(end)"
        throw .failed("\(command.prefix(4).joined(separator: " ")): \(line)")
    }

    /// Where administrators' programs are, for those who are none.
    static let searchPath = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"

    static func exists(_ program: String) -> Bool {
        searchPath.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }
}
