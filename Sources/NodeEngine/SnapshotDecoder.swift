package import Jobboard
import WireFormat

/// Reads what a `SnapshotEncoder` wrote, from pieces that may be cut anywhere.
///
/// Total on bytes of any kind: whatever is wrong with them is a `SnapshotError`, and it never reserves more than the bytes
/// that came can fill. What it accepts has been looked through as a whole. After an error it only throws.
package struct SnapshotDecoder: Sendable {
    private enum Stage {
        case start
        case state
        case section(SnapshotFormat.Section)
        /// A section with so many items left.
        case items(SnapshotFormat.Section, UInt64)
        /// So many outcomes of the last session, then so many sessions.
        case outcomes(UInt64, sessions: UInt64)
        case end
        case done
        case failed
    }

    private let limits: BoardLimits
    private let rememberedEvents: Int
    private var stage = Stage.start
    private var index: UInt64 = 0
    private var lastPosition: UInt64 = 0
    private var restorer: BoardRestorer?
    private var history: EventHistory
    /// What came of a record that is not whole yet.
    private var pending: [UInt8] = []
    /// What was read: whole records and the bytes they take.
    private var (records, bytes): (UInt64, UInt64) = (0, 0)
    /// The most bytes that the state and its events may count for at this node.
    private let largest: UInt64
    /// What the state and the events count for, as the snapshot says.
    private var accounted: (state: UInt64, events: UInt64) = (0, 0)
    /// What the events that came count for.
    private var eventBytes: UInt64 = 0
    /// What the state must hash to.
    private var fingerprint: UInt64 = 0

    /// `rememberedEvents`: how many events the state is to remember, be they more or fewer than the snapshot has. `largest`: a
    /// snapshot that counts for more bytes is refused.
    package init(limits: BoardLimits, rememberedEvents: Int, largest: UInt64 = .max) {
        self.largest = largest
        self.limits = limits
        self.rememberedEvents = rememberedEvents
        history = EventHistory(capacity: rememberedEvents)
    }

    /// Takes the next bytes.
    package mutating func take(_ piece: [UInt8]) throws(SnapshotError) {
        var all: [UInt8] = []
        swap(&all, &pending)
        if all.isEmpty { all = piece } else { all.append(contentsOf: piece) }
        do {
            let read = try all.withUnsafeBytes { try readRecords($0) }
            bytes += UInt64(read)
            if read == 0 { swap(&all, &pending) } else { pending = Array(all[read...]) }
        } catch {
            stage = .failed
            restorer = nil
            throw error as? SnapshotError ?? SnapshotError("\(error)")
        }
    }

    /// The state, once all bytes have been taken.
    package mutating func finish() throws(SnapshotError) -> AppliedState {
        guard case .done = stage, var restorer else {
            if case .failed = stage { throw SnapshotError("the snapshot was refused before") }
            throw SnapshotError("the snapshot ends early, after \(bytes) bytes")
        }
        self.restorer = nil
        stage = .failed
        do throws(BrokenInvariant) {
            let machine = try restorer.finish()
            guard machine.fingerprint() == fingerprint else {
                throw BrokenInvariant("the state is not the one that was saved")
            }
            return AppliedState(machine: machine, history: history, index: index)
        } catch {
            throw SnapshotError(error.description)
        }
    }

    /// Reads all whole records and gives the number of their bytes.
    private mutating func readRecords(_ all: UnsafeRawBufferPointer) throws -> Int {
        var place = 0
        if case .start = stage {
            guard all.count >= 8 else { return 0 }
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: all[..<8]))
            guard try reader.u32() == SnapshotFormat.magic else { throw SnapshotError("this is no snapshot") }
            let version = try reader.u32()
            guard version == SnapshotFormat.version else {
                throw SnapshotError("the snapshot has format \(version), not \(SnapshotFormat.version)")
            }
            stage = .state
            place = 8
        }
        while all.count - place >= SnapshotFormat.prefixLength {
            let length = Int(UInt32(littleEndian: all.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
            guard length <= SnapshotFormat.longestRecord else {
                throw SnapshotError("a record of \(length) bytes, longer than any")
            }
            let start = place + SnapshotFormat.prefixLength
            guard length <= all.count - start else { break }
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: all[start..<start + length]))
            try read(&reader, at: bytes + UInt64(place))
            try reader.finish()
            records += 1
            place = start + length
            guard bytes + UInt64(place) <= accounted.state &+ accounted.events else {
                throw SnapshotError("the snapshot is longer than the \(accounted.state &+ accounted.events) bytes that it says")
            }
        }
        if case .done = stage, place < all.count { throw SnapshotError("there are bytes after the end") }
        return place
    }

    private mutating func read(_ reader: inout ByteReader, at start: UInt64) throws {
        switch stage {
        case .state:
            try expect(SnapshotFormat.stateKind, &reader)
            index = try reader.varint()
            let counters = try reader.savedCounters()
            lastPosition = counters.lastPosition
            accounted = (counters.accountedBytes, try reader.varint())
            let (sum, isTooLarge) = accounted.state.addingReportingOverflow(accounted.events)
            guard !isTooLarge, sum <= largest else {
                throw SnapshotError(
                    "the state takes \(accounted.state) bytes and its events \(accounted.events), more than the \(largest) bytes "
                        + "that this node can hold")
            }
            restorer = try BoardRestorer(limits: limits, counters: counters)
            stage = .section(.boards)
        case .section(let section):
            try expect(section.rawValue, &reader)
            let count = try reader.varint()
            if section == .events {
                guard count <= lastPosition else { throw SnapshotError("more events than there were") }
                history = EventHistory(capacity: rememberedEvents, nextPosition: lastPosition - count + 1)
            }
            goOn(section, left: count)
        case .items(let section, let left):
            try readItem(section, left: left - 1, &reader)
        case .outcomes(let left, let sessions):
            try restorer?.add(try reader.savedOutcome())
            goOnWithOutcomes(left - 1, sessions: sessions)
        case .end:
            try expect(SnapshotFormat.endKind, &reader)
            guard try reader.varint() == records, try reader.varint() == start else {
                throw SnapshotError("the snapshot's totals don't fit what came")
            }
            fingerprint = try reader.u64()
            guard eventBytes == accounted.events else {
                throw SnapshotError("the events take \(eventBytes) bytes and say \(accounted.events)")
            }
            stage = .done
        case .done: throw SnapshotError("there are bytes after the end")
        case .start, .failed: throw SnapshotError("the snapshot was refused before")
        }
    }

    private mutating func readItem(_ section: SnapshotFormat.Section, left: UInt64, _ reader: inout ByteReader) throws {
        switch section {
        case .boards: try restorer?.add(try reader.savedBoard())
        case .jobs: try restorer?.add(try reader.savedJob())
        case .completed: try restorer?.addCompleted(try reader.savedJob())
        case .sessions:
            try restorer?.add(try reader.savedSession())
            return goOnWithOutcomes(try reader.varint(), sessions: left)
        case .events:
            let event = try reader.event()
            guard event.position == history.nextPosition else {
                throw SnapshotError("event \(event.position) came in place of \(history.nextPosition)")
            }
            eventBytes += UInt64(event.byteCount)
            guard eventBytes <= accounted.events else {
                throw SnapshotError("the events take more than the \(accounted.events) bytes that they say")
            }
            history.append([event])
        }
        goOn(section, left: left)
    }

    private mutating func goOnWithOutcomes(_ outcomes: UInt64, sessions: UInt64) {
        if outcomes > 0 { stage = .outcomes(outcomes, sessions: sessions) } else { goOn(.sessions, left: sessions) }
    }

    private mutating func goOn(_ section: SnapshotFormat.Section, left: UInt64) {
        if left > 0 { stage = .items(section, left) } else { stage = section.next.map { .section($0) } ?? .end }
    }

    private func expect(_ kind: UInt8, _ reader: inout ByteReader) throws {
        let found = try reader.u8()
        guard found == kind else { throw SnapshotError("a record of kind \(found) in place of \(kind)") }
    }
}
