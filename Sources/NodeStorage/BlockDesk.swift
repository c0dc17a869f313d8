import Consensus
package import EventLog
package import NodeEngine
package import WireFormat

/// What a node's log does about single blocks: answers peers, takes in what they send. On the log's own thread.
package enum BlockDesk {
    /// The answer to a question about a block; nil to one that is about something else.
    package static func answer(_ question: Transfer, from log: EventLog) throws(EventLogError) -> Transfer? {
        guard case .askBlock(let index, let digest) = question else { return nil }
        if let entry = try log.block(index: index, digest: digest) {
            return .block(index: index, digest: digest, bytes: entry.block)
        }
        return .noBlock(index: index, digest: digest, neverHad: log.neverHad(index: index, digest: digest))
    }

    /// Takes a block that a peer sent, when it is missing; true when it was. A full disk takes none: it is asked for again.
    package static func take(_ block: [UInt8], into log: EventLog) throws(EventLogError) -> Bool {
        guard let entry = try? BlockCodec.parse(block, cluster: log.cluster) else { return false }
        do {
            return try !log.repair(with: [entry]).isEmpty
        } catch {
            guard error.code == .noSpace else { throw error }
            return false
        }
    }

    /// What is missing now, as an engine hears it.
    package static func missing(in log: EventLog) -> EngineInput {
        .blocksMissing(log.missing?.wanted ?? [])
    }
}
