import Foundation
import Synchronization

/// The nodes' processes: which should run, and what became of them.
final class ChaosNodes: Sendable {
    private struct Node {
        var process: DemoProcess?
        /// It is to run: one that ended by itself is started again.
        var isWanted = false
        var isStopped = false
        /// Its disk is full, or was a moment ago: it may end for that.
        var isFull = false
        var lastStart: ContinuousClock.Instant?
        /// It has answered since it was started: its log is read.
        var hasAnswered = false

        var isUp: Bool { isWanted && hasAnswered && !isStopped && !isFull && process != nil && process?.ended == nil }
    }

    /// A node that ends again and again is started no more often than this.
    private static let pause: Duration = .seconds(1)
    private static let diskWords = ["disk failed", "No space left", "no space left", "noSpace"]

    private let stage: ChaosStage
    private let notes: ChaosNotes
    private let state: Mutex<[Node]>

    init(_ stage: ChaosStage, _ notes: ChaosNotes) {
        self.stage = stage
        self.notes = notes
        state = Mutex(Array(repeating: Node(), count: stage.nodeCount))
    }

    /// Those that should be able to serve now.
    var up: Set<Int> {
        state.withLock { nodes in Set(nodes.indices.filter { nodes[$0].isUp }.map { $0 + 1 }) }
    }

    func start(_ node: Int) throws(CommandFailure) {
        let process = try stage.startNode(node)
        state.withLock { nodes in
            nodes[node - 1].process = process
            nodes[node - 1].isWanted = true
            nodes[node - 1].isStopped = false
            nodes[node - 1].hasAnswered = false
            nodes[node - 1].lastStart = .now
        }
    }

    /// SIGKILL; waits until they are gone.
    func kill(_ victims: [Int]) async {
        let processes = victims.compactMap { node in
            state.withLock { nodes in
                nodes[node - 1].isWanted = false
                return nodes[node - 1].process
            }
        }
        for process in processes where process.ended == nil {
            process.signal(SIGKILL)
            notes.count(.kills)
        }
        for process in processes { _ = await process.end() }
    }

    func restart(_ victims: [Int]) throws(CommandFailure) {
        for node in victims {
            try start(node)
            notes.count(.restarts)
        }
    }

    /// SIGSTOP: alive for the system, dead for everybody else.
    func stop(_ victims: [Int]) {
        for node in victims {
            process(node) { $0.isStopped = true }?.signal(SIGSTOP)
            notes.count(.stops)
        }
    }

    func resume(_ victims: [Int]) {
        for node in victims { process(node) { $0.isStopped = false }?.signal(SIGCONT) }
    }

    /// It serves.
    func answered(_ node: Int) {
        process(node) { $0.hasAnswered = true }
    }

    func setFull(_ isFull: Bool, _ node: Int) {
        process(node) { $0.isFull = isFull }
    }

    @discardableResult
    private func process(_ node: Int, _ change: (inout Node) -> Void) -> DemoProcess? {
        state.withLock { nodes in
            change(&nodes[node - 1])
            return nodes[node - 1].process
        }
    }

    func hasEnded(_ node: Int) -> Bool {
        state.withLock { $0[node - 1].process?.ended != nil }
    }

    /// Looks after those that ended though nobody killed them: for a full disk they may; and starts them again.
    func lookAfter() throws(CommandFailure) {
        for place in 0..<stage.nodeCount {
            let node = state.withLock { $0[place] }
            guard node.isWanted, !node.isFull, let process = node.process, let end = process.ended else { continue }
            if let last = node.lastStart, .now - last < Self.pause { continue }
            let words = process.lastWords
            if !stage.disks.isEmpty, Self.diskWords.contains(where: { words.contains($0) }) {
                notes.count(.endedForDisk)
                notes.tell("node \(place + 1) had ended for want of disk space; started again")
            } else {
                notes.find("node \(place + 1) ended by itself with \(end): \(words)")
            }
            try restart([place + 1])
        }
    }

    /// SIGTERM to all; each must end in good order.
    func end() async {
        let processes = state.withLock { nodes in
            for place in nodes.indices { nodes[place].isWanted = false }
            return nodes.compactMap(\.process)
        }
        await withTaskGroup(of: Void.self) { [notes] group in
            for process in processes where process.ended == nil {
                group.addTask {
                    let end = await process.stop()
                    if end != .exited(0) { notes.find("\(process.name) ended with \(end) on SIGTERM: \(process.lastWords)") }
                }
            }
        }
    }

    /// Nothing is left running.
    func clear() async {
        let processes = state.withLock { nodes in
            for place in nodes.indices { nodes[place].isWanted = false }
            return nodes.compactMap(\.process)
        }
        for process in processes { process.signal(SIGKILL) }
        for process in processes { _ = await process.end() }
    }
}
