/// A named, trackable unit of work, as it stood at one moment of the log.
///
/// The fields that most jobs do not use live together behind one reference, so that copying a job stays cheap.
public struct Job: Sendable, Equatable {
    /// The job's identity.
    public let id: JobID
    /// The board it was posted to.
    public let board: String
    /// Its name.
    public let name: String
    /// The JSON text posted with it, byte for byte; empty when none was given.
    public package(set) var details: [UInt8]
    /// How urgent it is.
    public let priority: Priority
    /// When it was posted.
    public let createdOn: Timestamp
    /// The position of its POSTED event; it decides the posting order.
    public let position: UInt64
    /// Where it is in its life.
    public package(set) var state: JobState
    /// In the repeated answer to a request: the job has moved on and its details are gone, or all of it but its identity and
    /// what the request did. Never so in a first answer.
    public package(set) var isPartial = false
    /// When it last changed.
    public package(set) var lastModified: Timestamp
    /// Who holds it, when it is claimed.
    public package(set) var owner: String?
    /// The current claim's fence, when it is claimed.
    public package(set) var fence: UInt64?
    /// When the current claim ends without a sign of life, when it is claimed.
    public package(set) var leaseUntil: Timestamp?
    /// How often it was claimed.
    public package(set) var claims: UInt32
    /// How often it was given back as a failure.
    public package(set) var failures: UInt32
    /// The fields that most jobs leave empty.
    package var rare: RareFields?

    package init(
        id: JobID, board: String, name: String, details: [UInt8], priority: Priority, createdOn: Timestamp, position: UInt64,
        state: JobState = .unclaimed, lastModified: Timestamp, owner: String? = nil, fence: UInt64? = nil,
        leaseUntil: Timestamp? = nil, claims: UInt32 = 0, failures: UInt32 = 0, rare: RareFields? = nil
    ) {
        self.id = id
        self.board = board
        self.name = name
        self.details = details
        self.priority = priority
        self.createdOn = createdOn
        self.position = position
        self.state = state
        self.lastModified = lastModified
        self.owner = owner
        self.fence = fence
        self.leaseUntil = leaseUntil
        self.claims = claims
        self.failures = failures
        self.rare = rare
    }
}

/// What most jobs leave empty, boxed. Never changed in place: `Job.changeRare` makes a new box.
package final class RareFields: Sendable, Equatable {
    package struct Values: Sendable, Equatable {
        package var book: Book?
        package var key: String?
        package var notBefore: Timestamp?
        package var expiresOn: Timestamp?
        /// The lease that a claim of this job gets when it names none, in milliseconds.
        package var leaseMilliseconds: UInt32?
        package var maxFailures: UInt32?
        package var lastFailure: String?
        package var lostClaims: UInt32 = 0
        package var maxLostClaims: UInt32?
        /// JSON text given at consume.
        package var result: [UInt8]?

        package init() {}
    }

    package let values: Values

    package init(_ values: Values) {
        self.values = values
    }

    package static func == (left: RareFields, right: RareFields) -> Bool {
        left === right || left.values == right.values
    }
}

extension Job {
    /// The logbook that it points to.
    public var book: Book? { rare?.values.book }
    /// The live key that keeps a second post of the same work off the board.
    public var key: String? { rare?.values.key }
    /// Not claimable before this moment.
    public var notBefore: Timestamp? { rare?.values.notBefore }
    /// Dropped from the board at this moment when nobody has claimed it by then.
    public var expiresOn: Timestamp? { rare?.values.expiresOn }
    /// The lease that a claim gets when it names none, in milliseconds.
    public var leaseMilliseconds: UInt32? { rare?.values.leaseMilliseconds }
    /// After this many failures it is trashed.
    public var maxFailures: UInt32? { rare?.values.maxFailures }
    /// How many of its claims ended since their lease did.
    public var lostClaims: UInt32 { rare?.values.lostClaims ?? 0 }
    /// After so many lost claims it is trashed, 0 for never; where nil, `NewJob.defaultMaxLostClaims`.
    public var maxLostClaims: UInt32? { rare?.values.maxLostClaims }
    /// What the last failure said.
    public var lastFailure: String? { rare?.values.lastFailure }
    /// The JSON text that its consumer left.
    public var result: [UInt8]? { rare?.values.result }

    /// Changes fields that live behind the reference; when all are empty again, the reference goes.
    package mutating func changeRare(_ change: (inout RareFields.Values) -> Void) {
        var values = rare?.values ?? RareFields.Values()
        change(&values)
        rare = values == RareFields.Values() ? nil : RareFields(values)
    }
}

extension Job {
    /// About what it takes in an answer.
    package var answerBytes: Int {
        var bytes = 128 + board.utf8.count + name.utf8.count + details.count + (owner?.utf8.count ?? 0)
        if let rare { bytes += rare.values.byteCount }
        return bytes
    }
}

extension RareFields.Values {
    fileprivate var byteCount: Int {
        64 + (book?.name.utf8.count ?? 0) + (key?.utf8.count ?? 0) + (lastFailure?.utf8.count ?? 0) + (result?.count ?? 0)
    }
}
