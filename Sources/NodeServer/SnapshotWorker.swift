import Consensus
import Dispatch
import EventLog
import Jobboard
import Logging
import NodeEngine
import NodeStorage
import WireFormat

/// Does a node's work on snapshots beside the log's thread: writes them on one queue, and on another answers peers and takes
/// in what they send, so that a long write keeps nobody waiting.
///
/// `@unchecked`: each desk is used on its own queue alone.
final class SnapshotWorker: @unchecked Sendable {
    /// A second, and so a day for 20 GiB.
    private static let scrubBytes: UInt64 = 256 << 10
    private let writing = DispatchQueue(label: "jobboard.snapshot.write", qos: .utility)
    private let serving = DispatchQueue(label: "jobboard.snapshot.serve", qos: .utility)
    private let computing = DispatchQueue(label: "jobboard.digest", qos: .background)
    private let writer: SnapshotDesk
    private let server: SnapshotDesk
    private let logger: Logger
    private let report: @Sendable (EngineInput) -> Void
    private let send: @Sendable (NodeID, Transfer) -> Void

    /// `report` and `send` are called on the queues.
    init(
        folder: String, settings: EngineSettings, logger: Logger, report: @escaping @Sendable (EngineInput) -> Void,
        send: @escaping @Sendable (NodeID, Transfer) -> Void
    ) throws(DiskError) {
        writer = SnapshotDesk(on: try PosixDisk(path: folder, access: .helper), settings: settings)
        server = SnapshotDesk(on: try PosixDisk(path: folder, access: .helper), settings: settings)
        self.logger = logger
        self.report = report
        self.send = send
    }

    /// Waits for what is under way.
    func stop() {
        writing.sync {}
        serving.sync {}
        computing.sync {}
    }

    /// Reads every job, so it has a queue of its own.
    func computeDigest(of state: AppliedState) {
        computing.async { [report] in report(.digestComputed(state.index, state.machine.fingerprint())) }
    }

    func take(_ state: AppliedState, upTo last: EntrySummary) {
        let start = DispatchTime.now().uptimeNanoseconds
        writing.async { [self] in
            do {
                let taken = try writer.write(state, upTo: last)
                let milliseconds = (DispatchTime.now().uptimeNanoseconds - start) / 1_000_000
                logger.info(
                    "snapshot taken", metadata: [LogKey.snapshot: "\(last.index)", LogKey.milliseconds: "\(milliseconds)"])
                report(taken)
            } catch {
                logger.error("no snapshot could be written", metadata: [LogKey.reason: "\(error)"])
                report(.snapshotTaken(nil, storedBytes: 0))
            }
        }
    }

    func removeOlder(than index: LogIndex) {
        writing.async { [self] in
            do {
                try writer.removeOlder(than: index)
            } catch {
                logger.error("old snapshots can't be removed", metadata: [LogKey.reason: "\(error)"])
            }
        }
    }

    func answer(_ question: Transfer, to peer: NodeID, done: @escaping @Sendable () -> Void) {
        serving.async { [self] in
            defer { done() }
            guard let (answer, rot) = server.answer(question) else { return }
            send(peer, answer)
            if let rot { tell(rot) }
        }
    }

    func open(_ snapshot: SnapshotReference, table: [UInt8]) {
        receive(snapshot) { try $0.open(snapshot, table: table) }
    }

    func put(_ snapshot: SnapshotReference, number: UInt32, _ stored: [UInt8]) {
        receive(snapshot) { try $0.put(snapshot, number: number, stored) }
    }

    func finish(_ snapshot: SnapshotReference, readingState: Bool) {
        receive(snapshot) { try $0.finish(snapshot, readingState: readingState) }
    }

    /// Reads some of the snapshots again, for rot.
    func scrub() {
        writing.async { [self] in
            do {
                if let rot = try writer.scrub(maxBytes: Self.scrubBytes) { tell(rot) }
            } catch {
                logger.error("snapshots can't be read", metadata: [LogKey.reason: "\(error)"])
            }
        }
    }

    private func tell(_ rot: SnapshotRot) {
        for fault in rot.faults {
            logger.error("a snapshot has rotted; asking the other nodes", metadata: [LogKey.reason: "\(fault)"])
        }
        report(rot.input)
    }

    private func receive(_ snapshot: SnapshotReference, _ work: @escaping @Sendable (SnapshotDesk) throws -> EngineInput) {
        serving.async { [self] in
            do {
                report(try work(server))
            } catch {
                logger.error(
                    "a snapshot can't be fetched",
                    metadata: [LogKey.snapshot: "\(snapshot.index)", LogKey.reason: "\(error)"])
                report(.snapshotFailed(snapshot))
            }
        }
    }
}
