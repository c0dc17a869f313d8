import Foundation
import Jobboard

/// A job as a row of a table.
enum JobRow {
    static let columns: [TextTable.Column] = [
        .init("UUID"), .init("NAME"), .init("STATE"), .init("PRIORITY"), .init("OWNER"), .init("FENCE", .right),
        .init("LEASE/AGE"),
    ]

    static func cells(of job: Job, now: Timestamp) -> [String] {
        [
            "\(job.id)", job.name, job.state.word, job.priority.word, job.owner ?? "-", job.fence.map(String.init) ?? "-",
            time(of: job, now: now),
        ]
    }

    /// What is most telling about the job's time: what is left of the lease, of the delay, or its age.
    static func time(of job: Job, now: Timestamp) -> String {
        if let end = job.leaseUntil {
            let left = end.milliseconds - now.milliseconds
            return left > 0 ? "\(DurationText.say(milliseconds: left)) left" : "lease over"
        }
        if job.state == .unclaimed, let start = job.notBefore, start > now {
            return "in \(DurationText.say(milliseconds: start.milliseconds - now.milliseconds))"
        }
        return "\(DurationText.say(milliseconds: now.milliseconds - job.createdOn.milliseconds)) old"
    }
}

extension Timestamp {
    /// This machine's idea of the time, for what is shown to people.
    static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}
