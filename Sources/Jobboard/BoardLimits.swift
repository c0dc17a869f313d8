/// What a board takes, and how much it remembers. Part of the rules: every node of a cluster must use the same numbers.
package struct BoardLimits: Sendable, Equatable {
    /// The longest job name, book name, key or `who`, in bytes.
    package var nameBytes = 255
    package var boardNameBytes = 128
    /// The longest `details` or `result`, in bytes.
    package var jsonBytes = 256 << 10
    /// The longest text of a failure, in bytes.
    package var failureBytes = 16 << 10
    /// Jobs in one post, or follow-ups in one consume.
    package var postJobs = 4096
    /// Text and details of all the jobs of a post together, in bytes.
    package var postBytes = 4 << 20
    package var claimCount: UInt32 = 1024
    package var leaseMilliseconds: ClosedRange<UInt32> = 100...604_800_000
    package var defaultLeaseMilliseconds: UInt32 = 30_000
    /// The longest delay or time to expiry: a hundred years.
    package var delayMilliseconds: UInt64 = 3_155_760_000_000
    package var sessionTTLMilliseconds: ClosedRange<UInt32> = 1000...3_600_000
    /// Outcomes that a session keeps for requests that its client has not acknowledged.
    package var sessionWindow = 4096
    /// What these may count for, a session; a post of `postJobs` fits three times.
    package var sessionBytes = 512 << 10
    /// What they may count for in all: no less than `sessions` KiB, see `RetentionOrder`.
    package var retainedBytes = 64 << 20
    package var sessions = 65_536
    /// Complete jobs that are still remembered, by number and by bytes.
    package var completedJobs = 16_384
    package var completedBytes = 64 << 20
    /// Deadlines served at the start of one block; the rest waits for the next.
    package var timersPerBlock = 4096
    package var jobs = 1 << 30
    package var boards = 65_536
    /// A board with no more jobs gets its index of names within the first claim that asks for a name.
    package var namesAtOnce = 2000
    package var pageJobs: UInt32 = 10_000
    /// A page of a listing ends when its jobs reach this many bytes: while one is made, nothing else is answered.
    package var pageBytes = 1 << 20
    /// The answer to a claim of many jobs ends when their details reach this many bytes.
    package var answerBytes = 4 << 20
    /// The same for a post: what was sent, with room for what a job gets on the board.
    package var postAnswerBytes = 5 << 20
    /// Records looked at for one page; a page may be short, even empty, and still have a cursor.
    package var pageScan = 2000

    package init() {}

    /// The last millisecond of the year 9999, beyond which RFC 3339 has no words.
    static let lastMoment = Timestamp(milliseconds: 253_402_300_799_999)
}
