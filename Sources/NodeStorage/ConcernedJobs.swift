import Consensus
package import EventLog
package import Jobboard
import NodeEngine

/// Which jobs the missing entries of a log may have changed, as far as the rest of the folder tells.
package struct ConcernedJobs: Sendable, Equatable {
    /// The log's time at the last entry before what is missing; nil when there is none.
    package private(set) var after: Timestamp?
    /// The same of the first entry behind all of it; nil when there is none.
    package private(set) var before: Timestamp?
    /// Jobs that were on the boards then: each may have been claimed, extended, abandoned or consumed.
    package private(set) var open = 0
    /// Jobs that are named behind and nowhere before, in that order: they were posted in what is missing. There may be more.
    package private(set) var posted: [JobID] = []

    private var known: Set<JobID> = []

    /// So many are told by name.
    private static let told = 5

    /// Reads the folder, and changes nothing. Nil when nothing is missing, when a snapshot holds what the missing entries did,
    /// or when what is left does not tell. Throws what the disk says.
    package init?(of report: LogReport, on disk: any Disk) throws(EventLogError) {
        guard let damage = report.damage, let first = damage.from else { return nil }
        let desk = SnapshotDesk(on: disk, settings: EngineSettings(cluster: report.identity.cluster, clientAddresses: [:]))
        var state = AppliedState()
        if report.base.index > 0 {
            guard let snapshot = try desk.oldest(fitting: report.summary(at:)).found, snapshot.state.index < first else {
                return nil
            }
            state = snapshot.state
        }
        let opener = Opener { try? BlockCodec.payload(of: $0) }
        var isRight = true
        let lastMissing = damage.lostFrom == nil ? damage.entries.last?.upperBound ?? first : .max
        _ = try EventLog.scan(disk, from: state.index + 1, pastHoles: true) { entry in
            if entry.index < first {
                isRight = (try? state.replay(entry, opener: opener)) != nil
            } else {
                if before == nil, entry.index > lastMissing { before = Timestamp(milliseconds: Int64(clamping: entry.time)) }
                note(entry, state, opener)
            }
            return isRight
        }
        guard isRight, state.index + 1 == first || state.index == report.last.index else { return nil }
        after = state.index == 0 ? nil : state.machine.now
        open = state.machine.totals(state: nil)
        known = []
    }

    /// Takes note of the jobs that an entry behind the hole names.
    private mutating func note(_ entry: Entry, _ state: AppliedState, _ opener: Opener) {
        for call in (try? AppliedState.commands(in: entry, opener: opener)) ?? [] {
            switch call.command {
            case .post(_, let jobs): known.formUnion(jobs.map(\.id))
            case .claim(let job, _, _): named(job, state)
            case .extend(let holder, _), .abandon(let holder, _, _): named(holder.job, state)
            case .consume(let holder, _, let followUps):
                named(holder.job, state)
                known.formUnion(followUps.map(\.id))
            case .claimNext, .openSession, .closeSession: break
            }
        }
    }

    private mutating func named(_ job: JobID, _ state: AppliedState) {
        guard known.insert(job).inserted, state.machine.job(job) == nil else { return }
        posted.append(job)
    }

    /// In words.
    package var description: String {
        let begin = after.map { "\($0)" } ?? "the beginning"
        let span = before.map { "between \(begin) and \($0)" } ?? "after \(begin)"
        let those = open == 1 ? "the job that was" : "the \(open) jobs that were"
        var words = "what was done \(span) is missing and may concern \(those) on the boards and any posted since"
        if !posted.isEmpty {
            let names = posted.prefix(Self.told).map { "\($0)" }.joined(separator: ", ")
            words += ", such as \(names)" + (posted.count > Self.told ? " and \(posted.count - Self.told) more" : "")
        }
        return words
    }
}
