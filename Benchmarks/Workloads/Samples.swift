import Consensus
import Jobboard

/// Jobs and commands as they are usual.
enum Samples {
    /// 200 bytes or so.
    static let details =
        Array(#"{"source":"s3://photos/2026/11/"#.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 160) + Array(#""}"#.utf8)
    static let who = "worker-1"
    /// In 2023, in milliseconds since the Unix epoch.
    static let moment: UInt64 = 1_700_000_000_000

    static func post(_ id: JobID) -> Command {
        .post(board: "default", jobs: [NewJob(id: id, name: "resize", details: details)])
    }

    static func claim(_ id: JobID) -> Command {
        .claim(job: id, who: who, leaseMilliseconds: nil)
    }

    static func consume(_ id: JobID) -> Command {
        .consume(Holder(job: id, who: who), result: nil, followUps: [])
    }

    static var openSession: SessionCommand {
        SessionCommand(
            session: 0, sequence: 0, acknowledgedBelow: 0,
            command: .openSession(SessionKey(high: 1, low: 1), ttlMilliseconds: 600_000))
    }

    /// Posts of one session, with ids in an order that is the same in each run.
    static func posts(_ count: Int, session: UInt64) -> [SessionCommand] {
        var random = SplitMix64(seed: 2)
        return (1...UInt64(count)).map { number in
            SessionCommand(
                session: session, sequence: number, acknowledgedBelow: number, command: post(.random(using: &random)))
        }
    }
}
