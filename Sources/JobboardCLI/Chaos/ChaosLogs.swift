import Jobboard

/// Reads the logs of all nodes to the end, and compares them with each other and with what watchers were told.
struct ChaosLogs {
    private(set) var facts = LoggedFacts()
    /// For people: a line a node.
    private(set) var lines: [String] = []

    /// - Parameters:
    ///   - commit: all nodes have applied the log up to here.
    ///   - position: of the last event in it.
    init(_ stage: ChaosStage, _ ledger: EventLedger, _ notes: ChaosNotes, through commit: UInt64, _ position: UInt64) throws {
        for node in 1...stage.nodeCount {
            var facts = LoggedFacts()
            let log = try LogReplay(folder: stage.dataFolder(ofNode: node))
            let summary = try log.replay(through: commit) { entry, events in
                for event in events {
                    // All logs say the same, or the ledger says so: the facts of one are enough.
                    if node == 1 { facts.add(event, entry: entry) }
                    ledger.note(event, from: "the log of node \(node)")
                }
            }
            if let damage = summary.damage { notes.find("the log of node \(node) is damaged: \(damage)") }
            if summary.events != position {
                notes.find("the log of node \(node) has \(summary.events) events, not \(position)")
            }
            lines += summary.lines
            if node == 1 { self.facts = facts }
        }
    }
}
