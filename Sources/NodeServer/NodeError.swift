/// Why a node did not start or had to stop, in one line for people.
package struct NodeError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// What the operator asked for can't work: a taken port, a foreign folder.
        case usage
        /// Something broke: a disk, an invariant.
        case failed
    }

    package var code: Code
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
