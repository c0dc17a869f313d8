import Consensus
import Logging
import NIOCore
import NodeEngine
import WireFormat

/// Who hears what peers say, on its event loop: a node, or one that is being repaired.
protocol PeerListener: AnyObject, Sendable {
    var loop: any EventLoop { get }
    var logger: Logger { get }
    var strangers: StrangerLog { get }
    /// What is said to them goes on these.
    var links: [NodeID: PeerLink] { get }
    /// The peer has proved itself, on a stream of either direction.
    func met(_ peer: NodeID, _ facts: PeerFacts)
    func receive(_ input: EngineInput)
}
