/// A set of priorities, such as `[.high, .low]`.
public struct Priorities: Sendable, Equatable, ExpressibleByArrayLiteral {
    /// One bit for each priority, by its raw value.
    package let mask: UInt8

    /// Those in a sequence.
    public init(_ priorities: some Sequence<Priority>) {
        mask = priorities.reduce(0) { $0 | 1 << $1.rawValue }
    }

    /// Those in a literal.
    public init(arrayLiteral priorities: Priority...) {
        self.init(priorities)
    }

    /// nil when a bit stands for no priority.
    package init?(mask: UInt8) {
        guard mask >> UInt8(Priority.allCases.count) == 0 else { return nil }
        self.mask = mask
    }

    /// Whether none is in it.
    public var isEmpty: Bool { mask == 0 }

    /// Whether a priority is in it.
    public func contains(_ priority: Priority) -> Bool {
        mask >> priority.rawValue & 1 == 1
    }
}
