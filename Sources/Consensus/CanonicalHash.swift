/// A 128-bit hash of a state: the same for the same values in every process, and made for a search that holds two states
/// to be one when their hashes are equal. Not for anything that somebody may want to forge.
package struct CanonicalHash: Hashable, Sendable, Comparable {
    package private(set) var high: UInt64 = 0x6a09_e667_f3bc_c908
    package private(set) var low: UInt64 = 0xbb67_ae85_84ca_a73b

    package init() {}

    /// Takes in one value; the order of values matters.
    package mutating func add(_ value: UInt64) {
        high = (high ^ value) &* 0x9e37_79b9_7f4a_7c15
        high ^= high >> 32
        low = (low &+ value) &* 0xc2b2_ae3d_27d4_eb4f
        low = (low << 31 | low >> 33) ^ high
    }

    package mutating func add(_ flag: Bool) {
        add(flag ? 1 : 0 as UInt64)
    }

    package mutating func add(_ value: UInt64?) {
        add(value.map { $0 &+ 1 } ?? 0)
    }

    /// Takes in a whole, so that a sum of wholes stands for a heap without an order.
    package mutating func add(_ other: CanonicalHash) {
        add(other.high)
        add(other.low)
    }

    /// Adds a member of a heap without an order.
    package mutating func merge(_ member: CanonicalHash) {
        high = high &+ Self.mixed(member.high)
        low = low &+ Self.mixed(member.low)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    package static func < (left: CanonicalHash, right: CanonicalHash) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// How a search calls what may have any name: nodes, read questions, reads.
package struct CanonicalNames: Sendable {
    /// A node's name by its place in the configuration. All zero: nodes are told apart by what they are alone.
    package var places: [UInt64]
    /// What stands for the number of a question about a read that its asker still waits for; others stand for 0.
    package var nonces: [(nonce: UInt64, name: UInt64)] = []
    /// What a read has to see.
    package var reads: [(number: UInt64, name: UInt64)] = []

    package init(places: [UInt64]) {
        self.places = places
    }

    func name(nonce: UInt64) -> UInt64 {
        nonces.first { $0.nonce == nonce }?.name ?? 0
    }

    func name(read: UInt64) -> UInt64 {
        reads.first { $0.number == read }?.name ?? 0
    }
}
