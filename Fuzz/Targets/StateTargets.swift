import Consensus
import Jobboard
import NodeEngine

extension FuzzTarget {
    /// The state inside of a snapshot, as it comes.
    static let state = FuzzTarget("snapshot-state") { checkState($0) }

    /// Behind the totals and the fingerprint at its end, where a machine comes of what is before.
    static let stateSealed = FuzzTarget("snapshot-state-sealed") { checkState(StateSealer.sealed($0)) }

    /// What is accepted is in order, has one encoding however it was cut, and behaves like a state.
    private static func checkState(_ bytes: [UInt8]) {
        let read = decode(bytes, pieces: max(1, bytes.count))
        hold((read == nil) == (decode(bytes, pieces: 7) == nil), "it hangs on where the pieces were cut")
        guard var state = read else { return }
        state.machine.checkInvariants()
        hold(SnapshotMaker.bytes(state) == bytes, "a state has two encodings")
        // That the index is the one of the table is looked at elsewhere.
        guard state.index < .max else { return }
        let time = UInt64(clamping: state.machine.now.milliseconds) + 1
        let calls = SnapshotMaker.calls
        let entry = Entry(
            kind: .commands, term: 1, index: state.index + 1, time: time, firstCommand: 0, commandCount: UInt32(calls.count),
            parent: .zero, digest: .zero, block: [])
        var outcomes = 0
        _ = state.apply(entry, count: calls.count, call: { calls[$0] }) { _, _ in outcomes += 1 }
        hold(outcomes == calls.count, "a command without an outcome")
        state.machine.checkInvariants()
    }

    private static func decode(_ bytes: [UInt8], pieces: Int) -> AppliedState? {
        var decoder = SnapshotDecoder(limits: BoardLimits(), rememberedEvents: SnapshotMaker.rememberedEvents)
        do throws(SnapshotError) {
            for start in stride(from: 0, to: bytes.count, by: pieces) {
                try decoder.take(Array(bytes[start..<min(start + pieces, bytes.count)]))
            }
            return try decoder.finish()
        } catch {
            hold(!error.description.isEmpty, "an error that says nothing")
            return nil
        }
    }
}
