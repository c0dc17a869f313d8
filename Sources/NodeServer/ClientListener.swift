import Logging
import NodeEngine
import WireFormat

/// Who hears what clients say, on its event loop: a node, or one that is being repaired.
protocol ClientListener: AnyObject, Sendable {
    var logger: Logger { get }
    var strangers: StrangerLog { get }
    var connections: ConnectionRegistry { get }
    /// What it tells a client that says hello.
    var hello: ClientHello { get }
    /// A client has connected; gives the number of its connection.
    func add(_ client: ClientHandler<Self>) -> UInt64
    func remove(client connection: UInt64)
    func receive(_ input: EngineInput)
    /// A request, in a frame of so many bytes.
    func receive(_ request: Request, from client: ClientReference, bytes: Int)
    /// Whether a further request may be taken now. If not, `wait` is to follow.
    var takesRequests: Bool { get }
    /// The client's `turnCame` is called when it may go on.
    func wait(_ client: ClientHandler<Self>)
}
