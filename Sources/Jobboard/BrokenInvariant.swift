/// Something that must hold between two commands does not: a fault in the rules, or a saved state that no rules made.
package struct BrokenInvariant: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line for people: what does not hold.
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Throws with the reason unless the condition holds.
func require(_ holds: Bool, _ reason: @autoclosure () -> String) throws(BrokenInvariant) {
    if !holds { throw BrokenInvariant(reason()) }
}
