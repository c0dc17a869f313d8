import Glibc
import NIOCore
import NIOPosix

/// Says in a few words for people why a connection could not be made or ended. NIO's own descriptions are for its developers.
package enum ConnectionTrouble {
    /// Texts that mean that no connection can be made.
    package static let unreachable = [
        "connection refused", "no route to the machine", "no answer from the machine", "no address is known for the host",
        "no connection within",
    ]
    /// Texts that mean that the other side has ended a connection that stood.
    package static let ended = ["connection closed", "connection reset", "belongs to cluster"]

    package static func text(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError: text(error)
        case let error as SocketAddressError.UnknownHost: "no address is known for the host \(error.host)"
        case let error as IOError: text(code: error.errnoCode)
        case ChannelError.connectTimeout(let limit):
            "no connection within \(limit.nanoseconds / 1_000_000) ms"
        case let error as ChannelError where error == .ioOnClosedChannel || error == .alreadyClosed || error == .eof:
            "connection closed"
        default: "\(error)"
        }
    }

    /// One host may have several addresses; the first of them that failed speaks for all.
    private static func text(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first { return text(first.error) }
        return "no address is known for the host \(error.host)"
    }

    private static func text(code: Int32) -> String {
        switch code {
        case ECONNREFUSED: "connection refused"
        case ECONNRESET, EPIPE: "connection reset"
        case ETIMEDOUT: "no answer from the machine"
        case EHOSTUNREACH, ENETUNREACH: "no route to the machine"
        case EMFILE, ENFILE: "too many open files"
        case EADDRINUSE: "the port is taken"
        case EADDRNOTAVAIL: "this machine does not have that address"
        case EACCES, EPERM: "not permitted"
        default: String(cString: strerror(code)).lowercased()
        }
    }
}
