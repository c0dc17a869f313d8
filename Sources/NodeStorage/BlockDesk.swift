package import Consensus
package import EventLog
package import NodeEngine
package import WireFormat

/// What a node's log does about single blocks: answers peers, takes in what they send. On the log's own thread.
package enum BlockDesk {
    /// The answer to a question about a block; nil to one that is about something else.
    package static func answer(_ question: Transfer, from log: EventLog) throws(EventLogError) -> Transfer? {
        let (index, digest): (LogIndex, Digest)
        switch question {
        case .askBlock(let asked, let name), .askCorruptBlock(let asked, let name): (index, digest) = (asked, name)
        default: return nil
        }
        if let entry = try log.block(index: index, digest: digest) {
            return .block(index: index, digest: digest, bytes: entry.block)
        }
        if case .askCorruptBlock = question {
            return .corruptBlock(
                index: index, digest: digest, corruptCopy(of: MissingBlock(index: index, digest: digest), in: log))
        }
        return .noBlock(index: index, digest: digest, neverHad: log.neverHad(index: index, digest: digest))
    }

    private static func corruptCopy(of block: MissingBlock, in log: EventLog) -> BlockCopy? {
        log.corruptCopy(
            of: block, maxBytes: Budget.corruptCopyBytes.limit, searchBytes: Budget.corruptSearchBytes.limit)
    }

    /// What others have left of a block, to be combined with what this log has.
    package static func combination(
        of block: MissingBlock, _ copies: [BlockCopy], with log: EventLog, candidates: Int
    ) -> BlockCombination {
        let own = corruptCopy(of: block, in: log)
        return BlockCombination(
            block, cluster: log.cluster, copies: copies + (own.map { [$0] } ?? []), candidates: candidates,
            hashBytes: Budget.combinedHashBytes.limit)
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
