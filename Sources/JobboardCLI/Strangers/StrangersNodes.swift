import Foundation
import Synchronization

/// The nodes' processes, watched from outside: whether they live, and what memory and descriptors they have. One that takes
/// more memory than it may is killed, as the system would do.
final class StrangersNodes: Sendable {
    struct Peak: Sendable {
        var memoryBytes: UInt64 = 0
        var descriptors = 0
    }

    private struct Node {
        var process: DemoProcess?
        /// It is being killed on purpose.
        var isDoomed = false
        var hasEnded = false
        var peak = Peak()
        var memoryBytes: UInt64 = 0
    }

    private static let pause: Duration = .milliseconds(200)

    private let stage: StrangersStage
    private let notes: ChaosNotes
    private let memoryLimit: UInt64
    private let state: Mutex<[Node]>

    init(_ stage: StrangersStage, _ notes: ChaosNotes, memoryLimit: UInt64) {
        self.stage = stage
        self.notes = notes
        self.memoryLimit = memoryLimit
        state = Mutex(Array(repeating: Node(), count: stage.nodeCount))
    }

    var peaks: [Peak] { state.withLock { $0.map(\.peak) } }
    /// Memory in use now.
    var memory: [UInt64] { state.withLock { $0.map(\.memoryBytes) } }
    /// Those that ended though nobody ended them.
    var lost: [UInt64] { state.withLock { nodes in nodes.indices.filter { nodes[$0].hasEnded }.map { UInt64($0 + 1) } } }
    var pids: [Int32] { state.withLock { $0.compactMap { $0.process?.pid } } }

    func start(_ node: UInt64) throws(CommandFailure) {
        let process = try stage.startNode(node)
        state.withLock { nodes in
            nodes[Int(node) - 1].process = process
            nodes[Int(node) - 1].isDoomed = false
            nodes[Int(node) - 1].hasEnded = false
        }
    }

    /// SIGKILL on purpose; waits until it is gone.
    func kill(_ node: UInt64) async {
        let process = doom(node)
        process?.kill()
        _ = await process?.end()
    }

    /// SIGTERM to all; each must end in good order.
    func stop() async {
        await withTaskGroup(of: Void.self) { group in
            for node in 1...UInt64(stage.nodeCount) {
                guard let process = doom(node), process.ended == nil else { continue }
                group.addTask { [stage, notes] in
                    let end = await process.stop()
                    if end != .exited(0) {
                        notes.find("\(process.name) ended with \(end) on SIGTERM: \(stage.lastWords(of: process))")
                    }
                }
            }
        }
    }

    /// Nothing is left running.
    func clear() async {
        for node in 1...UInt64(stage.nodeCount) { await kill(node) }
    }

    private func doom(_ node: UInt64) -> DemoProcess? {
        state.withLock { nodes in
            nodes[Int(node) - 1].isDoomed = true
            return nodes[Int(node) - 1].process
        }
    }

    /// Until the task is cancelled.
    func watch() async {
        while !Task.isCancelled {
            for place in 0..<stage.nodeCount { look(place) }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func look(_ place: Int) {
        let node = state.withLock { $0[place] }
        guard let process = node.process, !node.isDoomed, !node.hasEnded else { return }
        if let end = process.ended {
            state.withLock { $0[place].hasEnded = true }
            return notes.find("node \(place + 1) ended with \(end): \(stage.lastWords(of: process))")
        }
        let memory = ProcMemory.residentBytes(of: process.pid)
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count) ?? 0
        state.withLock { nodes in
            nodes[place].memoryBytes = memory
            nodes[place].peak.memoryBytes = max(nodes[place].peak.memoryBytes, memory)
            nodes[place].peak.descriptors = max(nodes[place].peak.descriptors, descriptors)
        }
        if memory > memoryLimit {
            let kind = "node \(place + 1) has \(Figures.bytes(memory)) of memory, more than \(Figures.bytes(memoryLimit)); killed"
            state.withLock { $0[place].hasEnded = true }
            notes.find(kind)
            process.kill()
        }
    }
}

/// What `/proc` says of a process's memory.
enum ProcMemory {
    /// 0 when there is no such process.
    static func residentBytes(of pid: Int32) -> UInt64 {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first).flatMap { UInt64($0) }.map { $0 * 1024 } ?? 0
    }
}
