/// One decoder, held to its promises: whatever the bytes are, it gives a value or an error, touches no memory but its
/// own, and what it accepts survives the way out and in again.
///
/// To add one: a file beside this one, a line in `FuzzTarget+All.swift`, and a folder with a few inputs in `Fuzz/Corpus`.
package struct FuzzTarget: Sendable, CustomStringConvertible {
    package let name: String
    /// The longest input worth trying.
    package let maximumBytes: Int
    /// Feeds one input; ends the process when a promise is broken.
    package let check: @Sendable ([UInt8]) -> Void

    init(_ name: String, maximumBytes: Int = 4096, check: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.maximumBytes = maximumBytes
        self.check = check
    }

    package var description: String { name }

    package static func named(_ name: String) -> FuzzTarget? {
        all.first { $0.name == name }
    }
}

/// Ends the process with a message also where the optimiser would drop that of a precondition.
func hold(_ condition: Bool, _ promise: @autoclosure () -> String) {
    guard !condition else { return }
    fatalError("broken promise: \(promise())")
}
