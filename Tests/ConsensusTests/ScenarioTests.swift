import Foundation
import Testing

@testable import Consensus

/// Runs the plays in `Scenarios`: a line is a command, and what follows `----` is the whole expected exchange.
/// Set `UPDATE_SCENARIOS=1` to write what happened into the files; then read the difference.
@Suite struct ScenarioTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scenarios")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".txt") }.sorted()
    }()

    @Test func thereAreScenarios() {
        #expect(Self.names.count >= 6)
    }

    @Test(arguments: names) func theExchangeIsAsWritten(_ name: String) throws {
        let file = Self.folder.appending(path: name)
        let written = try String(contentsOf: file, encoding: .utf8)
        let happened = ScenarioPlayer.play(written)
        if ProcessInfo.processInfo.environment["UPDATE_SCENARIOS"] == "1" {
            try happened.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(happened == written, "\(name) went another way; run with UPDATE_SCENARIOS=1 and read the difference")
    }
}

/// Plays one script and gives it back with what happened in place of what was expected.
enum ScenarioPlayer {
    static func play(_ text: String) -> String {
        var stage = Stage()
        var result: [String] = []
        var skipping = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line == "----" {
                skipping = true
            } else if line.isEmpty {
                skipping = false
            }
            if skipping { continue }
            if line.isEmpty {
                if result.last != "" { result.append("") }
            } else if line.hasPrefix("#") {
                result.append(line)
            } else {
                result.append(line)
                perform(line.split(separator: " ").map(String.init), on: &stage)
                result.append("----")
                result += stage.script.take()
            }
        }
        while result.last == "" { result.removeLast() }
        return result.joined(separator: "\n") + "\n"
    }

    private static func perform(_ words: [String], on stage: inout Stage) {
        func node(_ place: Int) -> NodeID { NodeID(UInt64(words[place])!) }
        func matches(_ letter: Stage.Letter) -> Bool {
            (words.count < 2 || words[1] == "*" || letter.from == node(1)) && (words.count < 3 || letter.to == node(2))
        }
        switch words[0] {
        case "cluster": stage.build(Int(words[1])!)
        case "times-out": stage.timeOut(node(1))
        case "elapse": stage.elapse(UInt64(words[1])!, only: words.count > 2 ? node(2) : nil)
        case "sync": stage.sync(node(1))
        case "deliver": stage.deliver(where: matches)
        case "drop": stage.drop(where: matches)
        case "run": stage.run()
        case "propose" where stage.nodes[node(1)]?.isLeader != true: stage.script.add("\(words[1]) does not lead")
        case "propose": stage.step(node(1), .propose(kind: .commands, payload: Array(words[2].utf8), commandCount: 1))
        case "read": stage.step(node(1), .read(UInt64(words[2])!))
        case "lost": stage.step(node(1), .connectionLost(node(2)))
        case "compact": stage.compact(node(1))
        case "fetch": stage.fetch(node(1))
        case "crash": stage.crash(node(1))
        case "restart": stage.start(node(1))
        case "room": stage.step(node(1), .room(Room.allCases.first { $0.word == words[2] }!))
        case "leave": stage.step(node(1), .leave)
        case "cut": stage.setCut(node(1), true)
        case "heal": stage.setCut(node(1), false)
        case "show": show(&stage)
        default: stage.script.add("no such command: \(words[0])")
        }
    }

    private static func show(_ stage: inout Stage) {
        for id in stage.nodes.keys.sorted() {
            let replica = stage.nodes[id]!
            let role =
                switch replica.role {
                case .follower: "follower"
                case .preCandidate: "pre-candidate"
                case .candidate: "candidate"
                case .leader: "leader"
                }
            let base = replica.log.base.index
            let log = (base..<replica.log.lastIndex).map { "\($0 + 1)/\(replica.log.term(at: $0 + 1)!)" }
            let behind = base > 0 ? " behind \(base)/\(replica.log.base.term)" : ""
            stage.script.add(
                "\(id) \(role) term \(replica.term) commit \(replica.commit) log\(behind) [\(log.joined(separator: " "))]")
        }
    }
}
