package import Jobboard

/// One thing that a client asked of the cluster, from the first try to the answer; tries again are part of it.
package struct Operation: Sendable, Equatable {
    package enum Action: String, Sendable, CaseIterable {
        case post
        case claim
        case claimNext = "claim_next"
        case extend
        case abandon
        case consume
        case owner
        case show
    }

    package struct Claim: Sendable, Equatable {
        package var job: JobID
        package var fence: UInt64

        package init(job: JobID, fence: UInt64) {
            self.job = job
            self.fence = fence
        }
    }

    package enum Answer: Sendable, Equatable {
        /// Never heard: it may have had its effect at any time since the call, or may yet, or never will.
        case unknown
        /// An extend, an abandon or a consume took place. `state`: of the job afterwards, where the answer told.
        case done(state: JobState?)
        /// `duplicates[i]`: job i was there before. Empty when the answer did not tell.
        case posted(duplicates: [Bool])
        /// Of a claim or a claim of the next; an empty list of the latter alone.
        case claimed([Claim])
        /// `state` and `fence` are nil where the question did not ask for them.
        case seen(state: JobState?, owner: String?, fence: UInt64?)
        /// Not done, for the reason with this word. `owner`: who was said to hold the job.
        case refused(code: String, owner: String?)
    }

    /// Who asked; for people to read.
    package var client: String
    package var action: Action
    /// The jobs that it names: one, or all of a post, or none of a claim of the next.
    package var jobs: [JobID]
    package var board: String?
    /// In whose name a claim, extend, abandon or consume is made.
    package var who: String?
    /// The fence sent with an extend, abandon or consume.
    package var fence: UInt64?
    /// The lease that a claim or extend asks for; nil when it leaves that to the job.
    package var leaseMilliseconds: UInt64?
    /// The job does not become claimable at once: a post or an abandon with a delay, or an abandon with a failure.
    package var isDelayed = false
    /// A claim of the next job that takes only some: of a name, or of some priorities.
    package var isFiltered = false
    /// When it was first sent, and when its answer came, in microseconds of one clock for all clients.
    package var called: UInt64
    package var returned: UInt64?
    package var answer: Answer = .unknown

    package init(client: String, _ action: Action, jobs: [JobID] = [], called: UInt64) {
        self.client = client
        self.action = action
        self.jobs = jobs
        self.called = called
    }
}

extension Operation: CustomStringConvertible {
    /// Such as: `ada's consume with fence 7 (called 120, returned 180): done`.
    package var description: String {
        var text = "\(client)'s \(action.rawValue)"
        if let who, who != client { text += " as \(who)" }
        if let fence { text += " with fence \(fence)" }
        text += " (called \(called), " + (returned.map { "returned \($0)" } ?? "never returned") + "): "
        switch answer {
        case .unknown: return text + "unknown"
        case .done(let state): return text + "done" + (state.map { ", now \($0.word)" } ?? "")
        case .posted(let duplicates):
            return text + (duplicates.allSatisfy(\.self) && !duplicates.isEmpty ? "there before" : "posted")
        case .claimed(let claims):
            return text + (claims.isEmpty ? "nothing" : "fence " + claims.map { "\($0.fence)" }.joined(separator: ", "))
        case .seen(let state, let owner, let fence):
            return text
                + [state?.word, owner.map { "held by \($0)" } ?? "held by nobody", fence.map { "fence \($0)" }]
                .compactMap(\.self).joined(separator: ", ")
        case .refused(let code, let owner): return text + code + (owner.map { ", held by \($0)" } ?? "")
        }
    }
}
