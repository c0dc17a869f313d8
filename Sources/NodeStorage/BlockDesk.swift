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

    /// What became of a block that a peer sent.
    package enum Taking: Sendable, Equatable {
        case taken
        /// It is not missing, or is not a block.
        case notWanted
        /// The disk is full, or descriptors or memory are short: it is asked for again.
        case lacksRoom
    }

    /// Takes a block that a peer sent, when it is missing.
    package static func take(_ block: [UInt8], into log: EventLog) throws(EventLogError) -> Taking {
        guard let entry = try? BlockCodec.parse(block, cluster: log.cluster) else { return .notWanted }
        do {
            return try log.repair(with: [entry]).isEmpty ? .notWanted : .taken
        } catch {
            guard log.onlyLacksRoom(error) || error.code == .transient else { throw error }
            return .lacksRoom
        }
    }

    /// What is missing now, as an engine hears it.
    package static func missing(in log: EventLog) -> EngineInput {
        .blocksMissing(log.missing?.wanted ?? [])
    }
}
