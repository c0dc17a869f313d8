import Consensus
import EventLog
import Foundation
import Logging
import NIOCore
import NodeEngine
import NodeStorage
import WireFormat

/// Runs a damaged node's repair on one event loop: only peers can reach it, and only about snapshots and blocks.
///
/// `@unchecked`: everything in it is used on `loop` alone, which the entry points check.
final class RepairLoop: PeerListener, @unchecked Sendable {
    let loop: any EventLoop
    let logger: Logger
    private let own: NodeID
    private let repair: NodeRepair
    private let done: EventLoopPromise<Void>
    private var isOver = false
    private(set) var links: [NodeID: PeerLink] = [:]
    private var ticks: RepeatedTask?
    private var reportedAt = DispatchTime.now()

    init(loop: any EventLoop, own: NodeID, repair: NodeRepair, logger: Logger) {
        self.loop = loop
        self.own = own
        self.repair = repair
        self.logger = logger
        done = loop.makePromise()
    }

    /// Fulfilled when nothing is missing any more; fails when the disk does.
    var whenDone: EventLoopFuture<Void> { done.futureResult }

    func start(_ links: [NodeID: PeerLink]) {
        loop.preconditionInEventLoop()
        self.links = links
        ticks = loop.scheduleRepeatedTask(initialDelay: .milliseconds(1), delay: .milliseconds(50)) { [weak self] _ in
            guard let self else { return }
            self.links.values.forEach { $0.tick() }
            advance { [repair] in try repair.tick(now: EngineLoop.now().monotonic, send: $0) }
            reportNowAndThen()
        }
    }

    /// Gives up, or is done.
    func stop() {
        loop.preconditionInEventLoop()
        end(.failure(CancellationError()))
        for link in links.values { link.stop() }
        links = [:]
    }

    func receive(_ input: EngineInput) {
        loop.preconditionInEventLoop()
        guard case .transfer(let peer, let transfer) = input else { return }
        advance { [repair] in try repair.receive(transfer, from: peer, now: EngineLoop.now().monotonic, send: $0) }
    }

    private func advance(_ work: ((NodeID, Transfer) -> Void) throws -> Void) {
        guard !isOver else { return }
        do {
            try work { [links, own] peer, transfer in
                links[peer]?.send(transfer, from: own)
                links[peer]?.flush()
            }
        } catch {
            return end(.failure(error))
        }
        if repair.isDone { end(.success(())) }
    }

    private func end(_ result: Result<Void, any Error>) {
        guard !isOver else { return }
        isOver = true
        ticks?.cancel()
        repair.close()
        done.completeWith(result)
    }

    private func reportNowAndThen() {
        let now = DispatchTime.now()
        guard !isOver, now.uptimeNanoseconds - reportedAt.uptimeNanoseconds > 5_000_000_000 else { return }
        reportedAt = now
        let waits = repair.silent.map { "\($0)" }.joined(separator: ",")
        logger.info("still damaged", metadata: [LogKey.missing: "\(repair.missingCount)", LogKey.waitsFor: "\(waits)"])
    }
}
