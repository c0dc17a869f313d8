import ArgumentParser

/// What each task of a measurement does, again and again.
enum BenchMode: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// Posts a job, claims that job and consumes it.
    case life
    /// Posts a job, claims the next one and consumes it.
    case claimNext = "claim-next"
    /// Posts a list of jobs, claims as many and consumes them all at once.
    case batch
    /// Reads one job, as fresh as can be.
    case read
    /// Reads one job as the asked node has it.
    case staleRead = "stale-read"
    /// Lives, with watchers that are told of each post.
    case watch

    /// What is timed, in the order in which it is done.
    var operations: [String] {
        switch self {
        case .life, .batch: ["post", "claim", "consume"]
        case .claimNext: ["post", "claim next", "consume"]
        case .read, .staleRead: ["read"]
        case .watch: ["post", "claim", "consume", "told"]
        }
    }

    /// What is counted.
    var unit: String {
        switch self {
        case .read, .staleRead: "reads"
        case .life, .claimNext, .batch, .watch: "lives"
        }
    }
}

extension BenchMode {
    /// How many commands each job takes, which the log holds; reads leave no trace in it.
    func commands(batch: Int) -> Double {
        switch self {
        case .read, .staleRead: 0
        case .life, .claimNext, .watch: 3
        // One post and one claim for all of them, and a consume each.
        case .batch: 1 + 2 / Double(batch)
        }
    }
}
