import Consensus
import Logging
import NIOCore
import NodeEngine
import Transport
import WireFormat

/// The node's UDP socket: control messages, sealed one by one.
final class DatagramPort: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private unowned let node: EngineLoop
    private let addresses: [NodeID: SocketAddress]
    private var seal: DatagramSeal
    private var context: ChannelHandlerContext?
    private var hasUnflushed = false

    init(node: EngineLoop, addresses: [NodeID: SocketAddress], seal: DatagramSeal) {
        self.node = node
        self.addresses = addresses
        self.seal = seal
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        switch seal.open(Array(envelope.data.readableBytesView), agreed: { [node] in node.peerEpochs[$0] }) {
        case .frame(let frame): node.receive(.peer(frame, via: .datagram))
        case .otherEpoch: break
        case .refused:
            node.strangers.warning(
                .datagram, "datagram refused",
                [LogKey.address: "\(envelope.remoteAddress)", LogKey.count: "\(seal.refused)"])
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A peer whose port is closed answers with ICMP; that is no fault of this socket.
        node.logger.debug("datagram socket", metadata: [LogKey.reason: "\(ConnectionTrouble.text(error))"])
    }

    func send(_ frame: PeerFrame, to peer: NodeID) {
        guard let context, let address = addresses[peer], let bytes = seal.close(frame, to: peer) else { return }
        let envelope = AddressedEnvelope(remoteAddress: address, data: context.channel.allocator.buffer(bytes: bytes))
        context.write(wrapOutboundOut(envelope), promise: nil)
        hasUnflushed = true
    }

    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        context?.flush()
    }

    func close() {
        context?.close(promise: nil)
    }
}
