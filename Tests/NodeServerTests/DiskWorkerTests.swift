import Consensus
import EventLog
import Foundation
import Logging
import NodeEngine
import Testing
import WireFormat

@testable import NodeServer

@Suite struct DiskWorkerTests {
    /// What the worker has said, from its thread.
    ///
    /// `@unchecked`: everything is guarded by `condition`.
    private final class Words: @unchecked Sendable {
        private let condition = NSCondition()
        private var persisted: UInt64 = 0
        private var looks = 0
        private var failure: String?

        func heard(_ input: EngineInput) {
            condition.withLock {
                if case .persisted(let number) = input { persisted = number }
                if case .diskReport = input { looks += 1 }
                condition.broadcast()
            }
        }

        func failed(_ error: NodeError) {
            condition.withLock {
                failure = "\(error)"
                condition.broadcast()
            }
        }

        /// Waits until it is so, but no longer than 20 s.
        func wait(until isSo: (_ persisted: UInt64, _ looks: Int) -> Bool) -> Bool {
            let deadline = Date(timeIntervalSinceNow: 20)
            return condition.withLock {
                while failure == nil, !isSo(persisted, looks) {
                    guard condition.wait(until: deadline) else { return false }
                }
                return failure == nil
            }
        }

        var now: (persisted: UInt64, failure: String?) { condition.withLock { (persisted, failure) } }
    }

    private static let tag = BlockCodec.clusterTag("test")

    /// Each in a write of its own, as many as several segments take.
    private static func writes(_ count: UInt64) -> [LogWrite] {
        var luck = SplitMix64(seed: 1)
        var last = EntrySummary.beforeFirst
        return (1...count).map { number in
            let payload = (0..<5000).map { _ in UInt8(truncatingIfNeeded: luck.next()) }
            let draft = EntryDraft(
                kind: .commands, term: 1, index: number, time: last.time + 1, firstCommand: last.nextCommand, commandCount: 1,
                parent: last.digest, payload: payload)
            let entry = BlockCodec.seal(draft, cluster: tag)
            last = entry.summary
            return LogWrite(number: number, hardState: nil, truncateFrom: nil, entries: [entry], commit: 0)
        }
    }

    @Test func `writes wait in their order while descriptors are short, and the worker does not call the disk broken`() throws {
        let disk = ScarceDisk()
        let options = EventLogOptions(segmentBytes: 16 << 10, maxSpares: 0, readySpares: 0)
        let identity = LogIdentity(cluster: "test", node: 1)
        let (log, _) = try EventLog.open(on: disk, identity: identity, options: options)
        let words = Words()
        let worker = DiskWorker(
            log: log, lastIndex: 0, repairs: RepairStatus(), folder: "/nowhere", logger: Logger(label: "test"),
            report: { words.heard($0) }, send: { _, _ in }, failed: { words.failed($0) })
        disk.isScarce = true
        worker.start()
        // The first segment takes a few of them; the next one can't be made.
        worker.add(Self.writes(8).map { .write($0) } + [.lookAround])
        #expect(words.wait { _, looks in looks == 1 }, "\(words.now)")
        #expect((1..<8).contains(words.now.persisted))
        worker.add([.lookAround])
        #expect(words.wait { _, looks in looks == 2 }, "\(words.now)")
        #expect(words.now.persisted < 8)
        disk.isScarce = false
        // Nothing new is written: the look that comes five times a second is enough.
        worker.add([.lookAround])
        #expect(words.wait { persisted, _ in persisted == 8 }, "\(words.now)")
        worker.stop()
        #expect(words.now.failure == nil)
        let (_, found) = try EventLog.open(on: disk, identity: identity, options: options)
        #expect(found.last.index == 8)
    }
}
