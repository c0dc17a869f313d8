import Jobboard
import WireFormat

/// Writes an applied state as bytes, a piece a call, from a copy of it: to be used on a thread of its own while the engine
/// goes on with the original. See `SnapshotFormat`.
///
/// The copy is let go by the call that gives the last bytes, so that what only the copy still holds is freed on the thread
/// of the encoder. Whoever gives up before must drop the encoder on its own thread too.
package struct SnapshotEncoder: Sendable {
    /// The length of every piece but the last, which may be shorter.
    package static let pieceBytes = 256 << 10

    private enum Stage {
        case start
        case section(SnapshotFormat.Section)
        case items(SnapshotFormat.Section)
        case end
        case done
    }

    private var stage = Stage.start
    private let index: UInt64
    private var saver: BoardSaver
    private var history: EventHistory
    /// The next event.
    private var position: UInt64
    private var output: [UInt8] = []
    private var records: UInt64 = 0
    /// Bytes of the pieces that were given.
    private var given: UInt64 = 0

    package init(_ state: AppliedState) {
        index = state.index
        saver = BoardSaver(state.machine)
        history = state.history
        position = state.history.oldest
    }

    /// The next bytes; nil at the end.
    package mutating func next() -> [UInt8]? {
        var writer = ByteWriter(taking: &output)
        while writer.bytes.count < Self.pieceBytes {
            if case .done = stage { break }
            write(to: &writer)
        }
        writer.give(to: &output)
        guard !output.isEmpty else { return nil }
        var piece: [UInt8] = []
        if output.count > Self.pieceBytes {
            piece = Array(output[..<Self.pieceBytes])
            output.removeFirst(Self.pieceBytes)
        } else {
            swap(&piece, &output)
        }
        given += UInt64(piece.count)
        return piece
    }

    /// Writes one record or goes on to the next section.
    private mutating func write(to writer: inout ByteWriter) {
        switch stage {
        case .start:
            writer.u32(SnapshotFormat.magic)
            writer.u32(SnapshotFormat.version)
            let frame = begin(&writer)
            writer.u8(SnapshotFormat.stateKind)
            writer.varint(index)
            writer.saved(saver.counters)
            writer.varint(UInt64(history.bytes))
            writer.endFrame(frame)
            stage = .section(.boards)
        case .section(let section):
            let frame = begin(&writer)
            writer.u8(section.rawValue)
            writer.varint(UInt64(count(section)))
            writer.endFrame(frame)
            stage = .items(section)
        case .items(let section):
            if !writeItem(section, to: &writer) { stage = section.next.map { .section($0) } ?? .end }
        case .end:
            let (records, bytes) = (records, given + UInt64(writer.bytes.count))
            let frame = begin(&writer)
            writer.u8(SnapshotFormat.endKind)
            writer.varint(records)
            writer.varint(bytes)
            writer.u64(saver.fingerprint())
            writer.endFrame(frame)
            stage = .done
            saver = BoardSaver(BoardMachine())
            history = EventHistory(capacity: 1)
        case .done: break
        }
    }

    private mutating func begin(_ writer: inout ByteWriter) -> Int {
        records += 1
        return writer.beginFrame()
    }

    private func count(_ section: SnapshotFormat.Section) -> Int {
        switch section {
        case .boards: saver.boardCount
        case .jobs: saver.jobCount
        case .completed: saver.completedCount
        case .sessions: saver.sessionCount
        case .events: history.count
        }
    }

    /// Writes the next item of a section; false when there is none.
    private mutating func writeItem(_ section: SnapshotFormat.Section, to writer: inout ByteWriter) -> Bool {
        switch section {
        case .boards:
            guard let board = saver.nextBoard() else { return false }
            let frame = begin(&writer)
            writer.saved(board)
            writer.endFrame(frame)
        case .jobs, .completed:
            guard let job = section == .jobs ? saver.nextJob() : saver.nextCompleted() else { return false }
            let frame = begin(&writer)
            writer.saved(job)
            writer.endFrame(frame)
        case .sessions:
            return writeSessionOrOutcome(to: &writer)
        case .events:
            guard position < history.nextPosition else { return false }
            let frame = begin(&writer)
            writer.event(history[position])
            writer.endFrame(frame)
            position += 1
        }
        return true
    }

    private mutating func writeSessionOrOutcome(to writer: inout ByteWriter) -> Bool {
        if let outcome = saver.nextOutcome() {
            let frame = begin(&writer)
            writer.saved(outcome)
            writer.endFrame(frame)
            return true
        }
        guard let (session, outcomes) = saver.nextSession() else { return false }
        let frame = begin(&writer)
        writer.saved(session)
        writer.varint(UInt64(outcomes))
        writer.endFrame(frame)
        return true
    }
}
