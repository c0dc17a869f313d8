package import Consensus
package import EventLog
import Jobboard
package import NodeEngine
package import WireFormat

/// Everything that a node does with snapshot files: writes its own, gives pieces to peers, takes in a peer's.
///
/// It takes the engine's effects and gives its inputs; a shell decides on which thread. One thread at a time, which may be
/// another than the log's, with a `Disk` of its own.
package final class SnapshotDesk {
    private let disk: any Disk
    private let store: SnapshotStore
    private let settings: EngineSettings
    private var receiver: SnapshotReceiver?
    private var scrubber: SnapshotScrubber
    /// The one that peers ask about, open.
    private var reading: SnapshotFile?

    package init(on disk: any Disk, settings: EngineSettings, chunkBytes: Int = SnapshotContents.usualChunkBytes) {
        self.disk = disk
        self.settings = settings
        store = SnapshotStore(on: disk, cluster: BlockCodec.clusterTag(settings.cluster), chunkBytes: chunkBytes)
        scrubber = SnapshotScrubber(store)
    }

    // MARK: Our own

    /// Writes a state as a snapshot and gives its name once it is durable.
    package func write(_ state: AppliedState, upTo last: EntrySummary) throws(EventLogError) -> EngineInput {
        let writer = try store.write(upTo: last)
        var encoder = SnapshotEncoder(state)
        do throws(EventLogError) {
            while let piece = encoder.next() { try writer.add(piece) }
            let snapshot = try writer.finish()
            return .snapshotTaken(snapshot, storedBytes: try storedBytes(of: snapshot))
        } catch {
            writer.cancel()
            throw error
        }
    }

    private func storedBytes(of snapshot: SnapshotReference) throws(EventLogError) -> UInt64 {
        let file = try store.open(snapshot.index)
        defer { file.close() }
        return file.storedByteCount
    }

    /// Removes the snapshots from before `index`.
    package func removeOlder(than index: LogIndex) throws(EventLogError) {
        if let reading, reading.contents.last.index < index { stopReading() }
        try store.removeOlder(than: index)
    }

    /// Reads some of the snapshots again; gives the one that has rotted, if that is what it finds, and says where.
    package func scrub(maxBytes: UInt64) throws(EventLogError) -> SnapshotRot? {
        guard let found = try scrubber.step(maxBytes: maxBytes) else { return nil }
        return SnapshotRot(found.index, found.snapshot, faults: found.faults)
    }

    // MARK: For peers

    /// The answer to a question about snapshots, and whether the one asked for turned out to have rotted: whoever asks would
    /// wait for the scrubber to come by. Nil to a question about something else, and when descriptors or memory are short: to say
    /// then that there is no snapshot would be false, and the peer asks again.
    package func answer(_ question: Transfer) -> (answer: Transfer, rot: SnapshotRot?)? {
        switch question {
        case .askContents(let wanted):
            return answer(about: wanted) { .contents($0.contents.reference, table: $0.contents.encoded()) }
        case .askContentsAt(let index):
            return answer(at: index, refusal: .noSnapshot(nil)) { .contents($0.contents.reference, table: $0.contents.encoded()) }
        case .askChunk(let wanted, let number):
            return answer(about: wanted) { (file) throws(EventLogError) in
                guard number < file.contents.chunks.count else { return nil }
                return .chunk(wanted, number: number, stored: try file.storedChunk(Int(number)))
            }
        case .askBlock, .askCorruptBlock, .contents, .chunk, .noSnapshot, .block, .noBlock, .corruptBlock, .tookSnapshot,
            .askStanding, .standing:
            return nil
        }
    }

    /// About the newest one where none is named.
    private func answer(
        about wanted: SnapshotReference?, _ give: (SnapshotFile) throws(EventLogError) -> Transfer?
    ) -> (answer: Transfer, rot: SnapshotRot?)? {
        let newest: LogIndex?
        do throws(EventLogError) {
            newest = wanted == nil ? try store.indexes().first : nil
        } catch {
            return error.code == .transient ? nil : (.noSnapshot(wanted), nil)
        }
        guard let index = wanted?.index ?? newest else { return (.noSnapshot(wanted), nil) }
        return answer(at: index, refusal: .noSnapshot(wanted)) { (file) throws(EventLogError) in
            wanted == nil || file.contents.reference == wanted ? try give(file) : nil
        }
    }

    private func answer(
        at index: LogIndex, refusal: Transfer, _ give: (SnapshotFile) throws(EventLogError) -> Transfer?
    ) -> (answer: Transfer, rot: SnapshotRot?)? {
        var name: SnapshotReference?
        do throws(EventLogError) {
            let file = try file(at: index)
            name = file.contents.reference
            return (try give(file) ?? refusal, nil)
        } catch {
            stopReading()
            guard error.code != .transient else { return nil }
            return (refusal, error.code == .damaged ? SnapshotRot(index, name, faults: ["\(error)"]) : nil)
        }
    }

    /// Stays open from one question to the next.
    private func file(at index: LogIndex) throws(EventLogError) -> SnapshotFile {
        if let reading, reading.contents.last.index == index { return reading }
        stopReading()
        let file = try store.open(index)
        reading = file
        return file
    }

    private func stopReading() {
        reading?.close()
        reading = nil
    }

    // MARK: From peers

    /// Makes ready for the chunks of a snapshot; those that are here already are not asked for again, in a snapshot that has
    /// rotted either.
    package func open(_ snapshot: SnapshotReference, table: [UInt8]) throws(EventLogError) -> EngineInput {
        guard let contents = SnapshotContents(table), contents.reference == snapshot else {
            throw EventLogError(.damaged, "a peer's table of contents is not that of the snapshot up to \(snapshot.index)")
        }
        receiver?.close()
        receiver = nil
        let check = try? store.check(snapshot.index)
        if let check, check.snapshot == snapshot, check.faults.isEmpty {
            return .snapshotOpened(snapshot, missing: [], count: contents.chunks.count)
        }
        let receiver = try SnapshotReceiver(on: disk, contents: contents)
        if check?.snapshot == snapshot { try takeOver(into: receiver) }
        self.receiver = receiver
        return .snapshotOpened(snapshot, missing: receiver.missing, count: contents.chunks.count)
    }

    /// The chunks that are whole in a snapshot that is not.
    private func takeOver(into receiver: SnapshotReceiver) throws(EventLogError) {
        let file = try store.open(receiver.contents.last.index)
        defer { file.close() }
        for number in receiver.missing {
            guard let stored = try? file.storedChunk(Int(number)) else { continue }
            _ = try receiver.put(stored, number: number)
        }
    }

    package func put(
        _ snapshot: SnapshotReference, number: UInt32, _ stored: [UInt8]
    ) throws(EventLogError) -> EngineInput {
        guard let receiver, receiver.contents.last == snapshot.last else {
            return .chunkStored(snapshot, number: number, isRight: false)
        }
        return .chunkStored(snapshot, number: number, isRight: try receiver.put(stored, number: number))
    }

    /// Makes the fetched snapshot durable and, unless it is to mend a file alone, reads its state. Throws `EventLogError`, or
    /// what the decoder finds wrong.
    package func finish(_ snapshot: SnapshotReference, readingState: Bool) throws -> EngineInput {
        // What it takes the place of may be open.
        if reading?.contents.last.index == snapshot.index { stopReading() }
        if let receiver {
            self.receiver = nil
            defer { receiver.close() }
            _ = try receiver.finish()
        }
        guard readingState else { return .snapshotMended(snapshot) }
        let file = try store.open(snapshot.index)
        defer { file.close() }
        return .snapshotReady(snapshot, try state(in: file), storedBytes: file.storedByteCount)
    }

    private func state(in file: SnapshotFile) throws -> AppliedState {
        var decoder = SnapshotDecoder(
            limits: settings.limits, rememberedEvents: settings.rememberedEvents, largest: settings.loadableBytes)
        for number in file.contents.chunks.indices { try decoder.take(try file.chunk(number)) }
        let state = try decoder.finish()
        guard state.index == file.contents.last.index else {
            throw EventLogError(.damaged, "the snapshot up to \(file.contents.last.index) holds the state at \(state.index)")
        }
        return state
    }

    // MARK: At the start

    /// The newest whole snapshot that the log goes on from, and why newer ones were passed over. Throws `transient` rather than
    /// pass over one that can't be opened now.
    package func newest(
        fitting log: RecoveredLog
    ) throws(EventLogError) -> (found: RecoveredSnapshot?, damaged: [String]) {
        try first(of: try store.indexes(), fitting: log.summary(at:))
    }

    /// The oldest one, for a reader who wants as much of the log as possible; `summary` gives the log's entries.
    package func oldest(
        fitting summary: (LogIndex) -> EntrySummary?
    ) throws(EventLogError) -> (found: RecoveredSnapshot?, damaged: [String]) {
        try first(of: try store.indexes().reversed(), fitting: summary)
    }

    private func first(
        of indexes: [LogIndex], fitting summary: (LogIndex) -> EntrySummary?
    ) throws(EventLogError) -> (found: RecoveredSnapshot?, damaged: [String]) {
        var damaged: [String] = []
        for index in indexes {
            guard let last = summary(index) else { continue }
            do {
                let file = try store.open(index)
                defer { file.close() }
                guard file.contents.last == last else { continue }
                let state = try state(in: file)
                return (
                    RecoveredSnapshot(snapshot: file.contents.reference, state: state, storedBytes: file.storedByteCount), damaged
                )
            } catch let error as EventLogError where error.code == .newer || error.code == .transient {
                throw error
            } catch {
                damaged.append("\(error)")
            }
        }
        return (nil, damaged)
    }
}
