package import Jobboard
import Transport

/// Why a node that was asked has not answered.
package enum NodeTrouble: String, Sendable {
    /// No connection can be made: its process or its machine is down, or cut off.
    case unreachable
    /// It takes the connection, or seems to, and says nothing in time.
    case hung = "no answer"
    /// It ends the connection, or answers something else.
    case refused = "refuses"

    /// `error`: what the question to that one node ended with.
    package init(_ error: JobboardError) {
        if ConnectionTrouble.unreachable.contains(where: { error.message.contains($0) }) {
            self = .unreachable
        } else if error.code != .unavailable || ConnectionTrouble.ended.contains(where: { error.message.contains($0) }) {
            self = .refused
        } else {
            self = .hung
        }
    }
}
