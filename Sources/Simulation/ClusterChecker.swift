import Consensus
import Jobboard
import NodeEngine

/// Something that must never be was.
package struct Violation: Error, Sendable, CustomStringConvertible {
    package var description: String
}

/// Watches all nodes from outside: what must hold between them, at every step and over their lives.
struct ClusterChecker {
    private var leaders: [Term: NodeID] = [:]
    /// The digest of every index that any node held to be committed.
    private var committed: [Digest] = []
    private var fences: Set<UInt64> = []
    private var consumedBy: [JobID: UInt64] = [:]
    private(set) var highestTerm: Term = 0
    private(set) var elections = 0

    /// After each step of a node.
    mutating func check(_ engine: Engine) throws(Violation) {
        let replica = engine.replica
        replica.checkInvariants()
        highestTerm = max(highestTerm, replica.term)
        if replica.isLeader {
            if let other = leaders[replica.term], other != replica.id {
                throw Violation(description: "nodes \(other) and \(replica.id) both led term \(replica.term)")
            }
            if leaders.updateValue(replica.id, forKey: replica.term) == nil { elections += 1 }
        }
    }

    /// After a node's commit index moved: the same index holds the same history everywhere, for ever.
    mutating func checkCommitted(_ engine: Engine, from first: LogIndex) throws(Violation) {
        let replica = engine.replica
        var index = first
        while index <= replica.commit {
            let digest = replica.log.digest(at: index)!
            if index <= LogIndex(committed.count) {
                guard committed[Int(index - 1)] == digest else {
                    throw Violation(description: "entry \(index) was committed twice, with other content at node \(replica.id)")
                }
            } else {
                precondition(index == LogIndex(committed.count) + 1, "commit indexes are checked in order")
                committed.append(digest)
            }
            index += 1
        }
    }

    /// A client was told that it holds these jobs.
    mutating func claimed(_ jobs: [Job], by client: Int) throws(Violation) {
        for job in jobs {
            guard let fence = job.fence else {
                throw Violation(description: "client \(client) got job \(job.id) without a fence")
            }
            guard fences.insert(fence).inserted else { throw Violation(description: "fence \(fence) was given twice") }
            // An older claim's answer may come late; a newer claim of a consumed job may not be at all.
            if let consumer = consumedBy[job.id], fence > consumer {
                throw Violation(description: "job \(job.id) was claimed with fence \(fence) after it had been consumed")
            }
        }
    }

    /// A client was told that its consume took place.
    mutating func consumed(_ job: JobID, fence: UInt64) throws(Violation) {
        if let other = consumedBy.updateValue(fence, forKey: job) {
            throw Violation(description: "job \(job) was consumed twice, with fences \(other) and \(fence)")
        }
    }

    /// After healing: every node has the same log and the same boards, and nothing acknowledged is missing.
    func checkEnd(_ engines: [Engine], posted: [JobID]) throws(Violation) {
        let first = engines[0]
        for engine in engines.dropFirst() {
            guard engine.state.index == first.state.index else {
                throw Violation(description: "nodes stand at \(first.state.index) and \(engine.state.index) after healing")
            }
            guard engine.state.machine.fingerprint() == first.state.machine.fingerprint() else {
                throw Violation(description: "nodes \(first.replica.id) and \(engine.replica.id) have other boards at one index")
            }
        }
        for job in posted {
            guard let state = first.state.machine.job(job)?.state else {
                throw Violation(description: "acknowledged job \(job) is missing")
            }
            if consumedBy[job] != nil, state != .complete {
                throw Violation(description: "consumed job \(job) is \(state.word)")
            }
        }
        first.state.machine.checkInvariants()
    }
}
