import NIOCore
import WireFormat

/// Who talks to a node over a connection. Everything is called on the connection's event loop; `connection` is the number given
/// to `NodeChannelHandler`, so that news of an earlier connection can be told apart.
protocol NodeConversation: AnyObject {
    func connected(_ connection: UInt64, channel: any Channel)
    func greeted(_ hello: ClientHello, on connection: UInt64)
    func received(_ response: Response, number: UInt64, on connection: UInt64)
    /// All that one read brought has been handed over.
    func readEnded(on connection: UInt64)
    func disconnected(_ connection: UInt64, because reason: String)
}
