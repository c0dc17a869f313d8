import Jobboard
import WireFormat

/// All of one job, a field a line.
enum JobCard {
    static func text(of job: Job, now: Timestamp) -> String {
        var fields: [(String, String?)] = [
            ("uuid", "\(job.id)"), ("board", job.board), ("name", job.name), ("state", job.state.word),
            ("priority", job.priority.word), ("lease or age", JobRow.time(of: job, now: now)), ("owner", job.owner),
            ("fence", job.fence.map(String.init)), ("lease until", job.leaseUntil.map(RFC3339.text)),
            ("not before", job.notBefore.map(RFC3339.text)), ("expires on", job.expiresOn.map(RFC3339.text)),
            ("key", job.key), ("book", job.book.map { "\($0.uuid) \($0.name)" }),
            ("created on", RFC3339.text(job.createdOn)), ("last modified", RFC3339.text(job.lastModified)),
            ("position", "\(job.position)"), ("claims", "\(job.claims)"),
        ]
        if job.failures > 0 || job.maxFailures != nil {
            fields.append(("failures", "\(job.failures)" + (job.maxFailures.map { " of \($0)" } ?? "")))
        }
        if job.lostClaims > 0 || job.maxLostClaims != nil {
            let most = job.maxLostClaims ?? NewJob.defaultMaxLostClaims
            fields.append(("lost claims", "\(job.lostClaims)" + (most == 0 ? "" : " of \(most)")))
        }
        fields.append(("last failure", job.lastFailure))
        fields.append(("details", job.details.isEmpty ? nil : String(decoding: job.details, as: UTF8.self)))
        fields.append(("result", job.result.map { String(decoding: $0, as: UTF8.self) }))
        let width = 15
        return fields.compactMap { name, value in
            value.map { name + String(repeating: " ", count: width - name.count) + Console.printable($0) + "\n" }
        }.joined()
    }
}
