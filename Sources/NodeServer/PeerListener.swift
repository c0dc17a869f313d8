import Logging
import NIOCore
import NodeEngine

/// Who hears what peers say, on its event loop: a node, or one that is being repaired.
protocol PeerListener: AnyObject, Sendable {
    var loop: any EventLoop { get }
    var logger: Logger { get }
    func receive(_ input: EngineInput)
}
