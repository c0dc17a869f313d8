import Simulation
import WireFormat

/// Histories as files, one operation a line.
enum HistoryFile {
    /// - Parameter path: "-" for standard input.
    /// - Throws: the line that can't be read, and why.
    static func read(_ path: String) async throws -> [Simulation.Operation] {
        var lines = try LineFile(path)
        var history: [Simulation.Operation] = []
        var number = 0
        while let line = try await lines.next() {
            number += 1
            guard !line.isEmpty else { continue }
            do {
                history.append(try HistoryText.read(line))
            } catch {
                throw CommandFailure.usage("\(path), line \(number): \(error)")
            }
        }
        return history
    }
}
