import Consensus
import EventLog

/// What the log must hold, frame by frame.
struct LogModel {
    var hardState = HardState(term: 0, vote: nil)
    /// From the first index on, released ones included.
    var entries: [Entry] = []
    var released: LogIndex = 0

    var last: EntrySummary { entries.last?.summary ?? .beforeFirst }

    /// The states that the write goes through, one for each frame.
    func steps(_ write: LogWrite) -> [LogModel] {
        var steps: [LogModel] = []
        var next = self
        if let hardState = write.hardState {
            next.hardState = hardState
            steps.append(next)
        }
        if let from = write.truncateFrom, from <= next.last.index {
            next.entries.removeLast(next.entries.count - Int(from - 1))
            steps.append(next)
        }
        for entry in write.entries {
            next.entries.append(entry)
            steps.append(next)
        }
        return steps
    }

    func matches(_ recovery: EventLog.Recovery) -> Bool {
        let base = Int(recovery.base.index)
        guard recovery.hardState == hardState, base <= Int(released), base <= entries.count else { return false }
        guard recovery.base == (base == 0 ? .beforeFirst : entries[base - 1].summary) else { return false }
        return recovery.entries == entries[base...].map(\.summary)
    }
}
