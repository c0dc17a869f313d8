/// Bytes or text that are not what they should be.
package struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line for people: what was wrong.
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
