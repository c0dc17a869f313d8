package import Consensus
package import Jobboard
import WireFormat

/// An entry that can't be taken in: damaged, or of a kind that this version does not know.
package struct ApplyError: Error, Sendable, CustomStringConvertible {
    package var description: String
}

/// The boards as the log made them, up to one entry. Also what an offline reader of a log needs.
package struct AppliedState: Sendable {
    package private(set) var machine: BoardMachine
    package private(set) var history: EventHistory
    package private(set) var index: LogIndex = 0
    private var events: [Event] = []

    package init(limits: BoardLimits = BoardLimits(), rememberedEvents: Int = 1) {
        machine = BoardMachine(limits: limits)
        history = EventHistory(capacity: rememberedEvents)
    }

    /// A state from a snapshot.
    init(machine: BoardMachine, history: EventHistory, index: LogIndex) {
        self.machine = machine
        self.history = history
        self.index = index
    }

    /// The commands in an entry.
    package static func commands(in entry: Entry, opener: Opener) throws(ApplyError) -> [SessionCommand] {
        guard entry.kind == .commands else { return [] }
        guard let payload = opener.payload(entry) else {
            throw ApplyError(description: "entry \(entry.index) can't be unpacked")
        }
        do {
            return try payload.withUnsafeBytes { bytes in
                try CommandCodec.decode(bytes, count: Int(entry.commandCount))
            }
        } catch {
            throw ApplyError(description: "entry \(entry.index) holds a command that can't be read: \(error)")
        }
    }

    /// Takes in the next entry with its `count` commands, handing every outcome to `outcome` with its place in the entry,
    /// and gives its events. `isChecked`: see `BoardMachine.apply`.
    package mutating func apply(
        _ entry: Entry, count: Int, isChecked: Bool = false, call: (Int) -> SessionCommand,
        outcome: (Int, consuming Outcome) -> Void
    ) -> [Event] {
        precondition(entry.index == index + 1, "entry \(entry.index) was applied after \(index)")
        events.removeAll(keepingCapacity: true)
        machine.beginBlock(at: Timestamp(milliseconds: Int64(clamping: entry.time)), events: &events)
        for place in 0..<count { outcome(place, machine.apply(call(place), isChecked: isChecked, events: &events)) }
        index = entry.index
        history.append(events)
        return events
    }

    /// Goes on building indexes of names; see `BoardMachine.buildNameIndexes`.
    package mutating func buildNameIndexes(records: Int) {
        _ = machine.buildNameIndexes(records: records)
    }

    /// Takes in an entry of which nobody waits for the outcome.
    package mutating func replay(_ entry: Entry, opener: Opener) throws(ApplyError) -> [Event] {
        let calls = try Self.commands(in: entry, opener: opener)
        return apply(entry, count: calls.count, call: { calls[$0] }) { _, _ in }
    }
}
