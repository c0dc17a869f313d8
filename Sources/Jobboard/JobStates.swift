/// A set of job states, such as `[.claimed, .trashed]`.
public struct JobStates: Sendable, Equatable, ExpressibleByArrayLiteral {
    /// One bit for each state, by its raw value.
    package let mask: UInt8

    /// Every state there is.
    public static let all = JobStates(JobState.allCases)

    /// Those in a sequence.
    public init(_ states: some Sequence<JobState>) {
        mask = states.reduce(0) { $0 | 1 << $1.rawValue }
    }

    /// Those in a literal.
    public init(arrayLiteral states: JobState...) {
        self.init(states)
    }

    /// nil when a bit stands for no state.
    package init?(mask: UInt8) {
        guard mask >> UInt8(JobState.allCases.count) == 0 else { return nil }
        self.mask = mask
    }

    /// Whether none is in it.
    public var isEmpty: Bool { mask == 0 }

    /// Whether a state is in it.
    public func contains(_ state: JobState) -> Bool {
        mask >> state.rawValue & 1 == 1
    }
}
