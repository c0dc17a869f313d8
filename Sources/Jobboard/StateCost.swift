/// What the parts of a state count for, in bytes: the same on every node, and at least as many as they take in a snapshot.
///
/// Roughly what they take in memory, with the tables and orders that they are found by. Snapshots say how many bytes their
/// state counts for, and loaders refuse what would be more.
package enum StateCost {
    /// A job without its texts.
    static let job = 384
    /// What a job has of the fields that most leave empty, without their texts.
    static let rareFields = 160
    package static let session = 320
    static let board = 1024
    /// An answer that a session keeps, with its first job.
    static let retained = 96
    /// Each further job of it.
    static let retainedJob = 32
    /// What every state has.
    package static let empty = 4096

    static func job(_ job: Job) -> Int {
        Self.job + job.name.utf8.count + job.details.count + (job.owner?.utf8.count ?? 0) + rareFields(job)
    }

    /// What a command may add to the count, beyond claims and the answers that are kept.
    package static func growth(by command: Command) -> Int {
        switch command {
        case .post(_, let jobs): board + growth(by: jobs)
        case .consume(_, let result, let followUps): growth(by: followUps) + (result.map { rareFields + $0.count } ?? 0)
        case .abandon(_, let delay, let failure):
            delay == nil && failure == nil ? 0 : rareFields + (failure?.utf8.count ?? 0)
        case .openSession: session
        case .closeSession, .claim, .claimNext, .extend: 0
        }
    }

    private static func growth(by jobs: [NewJob]) -> Int {
        var bytes = 0
        for job in jobs {
            let texts = (job.key?.utf8.count ?? 0) + (job.book?.name.utf8.count ?? 0)
            bytes += Self.job + rareFields + job.name.utf8.count + job.details.count + texts
        }
        return bytes
    }

    /// Of a job's rare fields alone.
    static func rareFields(_ job: Job) -> Int {
        guard let rare = job.rare?.values else { return 0 }
        let texts = (rare.key?.utf8.count ?? 0) + (rare.book?.name.utf8.count ?? 0) + (rare.lastFailure?.utf8.count ?? 0)
        return Self.rareFields + texts + (rare.result?.count ?? 0)
    }
}

extension BoardMachine {
    /// What the answers that sessions keep count for.
    package var retainedBytes: Int { sessions.keptBytes }

    /// The bytes that the whole state counts for: jobs in any state, remembered answers, sessions and boards.
    package var accountedBytes: Int {
        StateCost.empty + jobBytes + sessions.accountedBytes + boardCount * StateCost.board
    }
}
