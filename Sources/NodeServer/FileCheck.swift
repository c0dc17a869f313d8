import Consensus
import EventLog
import Foundation
package import NIOCore
import NIOPosix
import WireFormat

/// Checks a cluster file against a node's data folder and the nodes that run, and disturbs neither: the folder is only read, and
/// a peer answers as it would answer the node's first greeting.
package struct FileCheck: Sendable {
    /// What is known of one thing that was looked at.
    package struct Finding: Sendable {
        package enum Verdict: Sendable {
            case right
            /// Nothing is wrong that could be seen, but not everything was seen.
            case unknown
            case wrong
        }

        package var verdict: Verdict
        package var line: String
    }

    private let configuration: ClusterConfiguration
    private let own: ClusterConfiguration.Node
    private let context: PeerContext

    /// Throws when the file alone is wrong for this node.
    package init(configuration: ClusterConfiguration, node: UInt64) throws(ConfigurationError) {
        own = try configuration.node(node)
        _ = try NodeNetwork(configuration, own: own)
        context = try PeerContext(configuration, own: own)
        self.configuration = configuration
    }

    /// Of the data folder, which may be that of a running node.
    package func folder(_ path: String) -> Finding {
        let identity = LogIdentity(cluster: configuration.cluster, node: own.id)
        do {
            let disk = try PosixDisk(path: path, access: .reader)
            switch try EventLog.owner(on: disk) {
            case nil: return Finding(verdict: .unknown, line: "data folder \(path): holds no log yet")
            case (let owner, let membership)?:
                guard owner == identity else {
                    return Finding(verdict: .wrong, line: "data folder \(path): belongs to \(owner), not to \(identity)")
                }
                guard let membership, membership != context.membership else {
                    return Finding(verdict: .right, line: "data folder \(path): belongs to \(identity)")
                }
                return Finding(
                    verdict: .wrong,
                    line: "data folder \(path): belongs to a cluster of \(membership.words), and the cluster file lists "
                        + "\(context.membership.words); use the cluster file of the other nodes, or another data folder")
            }
        } catch let error as DiskError where error.reason == .notFound {
            return Finding(verdict: .unknown, line: "data folder \(path): not there yet; `serve` makes it")
        } catch {
            return Finding(verdict: .wrong, line: "data folder \(path): \(error)")
        }
    }

    /// Of each other node, in the order of the file; those that don't answer in time are not known.
    package func peers(within time: TimeAmount = .seconds(3)) async -> [Finding] {
        var findings: [Finding] = []
        for peer in configuration.nodes where peer.id != own.id { findings.append(await ask(peer, within: time)) }
        return findings
    }

    private func ask(_ peer: ClusterConfiguration.Node, within time: TimeAmount) async -> Finding {
        let name = "node \(peer.id) at \(peer.host):\(peer.peerPort)"
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: String?.self)
        let (context, id) = (context, NodeID(peer.id))
        let late = loop.scheduleTask(in: time) { answer.fail(ChannelError.connectTimeout(time)) }
        ClientBootstrap(group: loop).connectTimeout(time)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handshake = DialingHandshake(context: context, peer: id, nonce: PeerContext.nonce(), isCheck: true)
                    try channel.pipeline.syncOperations.addHandler(CheckHandler(handshake, answer))
                }
            }
            .connect(host: peer.host, port: peer.peerPort).cascadeFailure(to: answer)
        defer { late.cancel() }
        do {
            guard let refusal = try await answer.futureResult.get() else {
                return Finding(verdict: .right, line: "\(name): has the same secret and lists the same nodes")
            }
            return Finding(verdict: .wrong, line: "\(name): \(refusal)")
        } catch {
            return Finding(verdict: .unknown, line: "\(name): does not answer")
        }
    }
}

/// Goes through the handshake and closes.
private final class CheckHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var handshake: DialingHandshake
    private var input = StreamInput()
    private let answer: EventLoopPromise<String?>
    private var isOver = false

    init(_ handshake: DialingHandshake, _ answer: EventLoopPromise<String?>) {
        self.handshake = handshake
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        write(handshake.greeting, context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        input.append(&bytes)
        do throws(WireError) {
            while !isOver, let body = try input.nextGreeting() {
                let step = try body.withUnsafeReadableBytes { bytes throws(WireError) in try handshake.take(bytes) }
                switch step {
                case .send(let proof): write(proof, context)
                case .proved: end(nil, context)
                }
            }
        } catch {
            end(error.message, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end("it refuses this node: the secret, the cluster's name or the ids differ; its log says which", context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func end(_ refusal: String?, _ context: ChannelHandlerContext) {
        guard !isOver else { return }
        isOver = true
        answer.succeed(refusal)
        context.close(promise: nil)
    }

    private func write(_ frame: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: frame)), promise: nil)
    }
}
