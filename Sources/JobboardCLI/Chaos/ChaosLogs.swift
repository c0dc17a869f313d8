import Foundation
import Jobboard

/// Reads the logs of all nodes to the end, and compares them with each other and with what watchers were told.
///
/// Where a log begins behind a snapshot, the other logs and the watchers stand for what came before.
struct ChaosLogs {
    private(set) var facts = LoggedFacts()
    /// For people: a line a node.
    private(set) var lines: [String] = []
    /// What the nodes said that they did with snapshots.
    private(set) var snapshotsTaken = 0
    private(set) var snapshotsFetched = 0

    /// - Parameters:
    ///   - commit: all nodes have applied the log up to here.
    ///   - position: of the last event in it.
    init(_ stage: ChaosStage, _ ledger: EventLedger, _ notes: ChaosNotes, through commit: UInt64, _ position: UInt64) throws {
        var entries: [UInt64: UInt64] = [:]
        for node in 1...stage.nodeCount {
            let log = try LogReplay(folder: stage.dataFolder(ofNode: node))
            let summary = try log.replay(through: commit) { entry, events in
                for event in events {
                    ledger.note(event, from: "the log of node \(node)")
                    let known = entries.updateValue(entry, forKey: event.position) ?? entry
                    if known != entry {
                        notes.find("the log of node \(node) has event \(event.position) in entry \(entry), not \(known)")
                    }
                }
            }
            if let damage = summary.damage { notes.find("the log of node \(node) is damaged: \(damage)") }
            let last = summary.startPosition + summary.events
            if last != position { notes.find("the log of node \(node) ends with event \(last), not \(position)") }
            lines += summary.lines
            countSnapshots(in: stage.outputFile(ofNode: node))
        }
        for event in ledger.events { facts.add(event, entry: entries[event.position]) }
        if ledger.events.last?.position ?? 0 != position { notes.find("nobody was told event \(position), the last one") }
    }

    private mutating func countSnapshots(in file: String) {
        let text = FileManager.default.contents(atPath: file) ?? Data()
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if line.firstRange(of: Data("snapshot taken".utf8)) != nil { snapshotsTaken += 1 }
            if line.firstRange(of: Data("went on from a fetched snapshot".utf8)) != nil { snapshotsFetched += 1 }
        }
    }
}
