import Logging
import NIOCore

/// A listening socket that is opened again when it closes by itself.
///
/// For want of descriptors or memory NIO keeps the socket and `AcceptPause` sees to the rest. Any other error of `accept` closes
/// it (EPERM from a packet filter, EPROTO, ENETDOWN and the like: accept(2) says that they come from the connection or the
/// network, and pass). A node without a port would live on and serve nobody.
///
/// `@unchecked`: what changes is used on `loop` alone, which the entry points check.
final class ListeningPort: @unchecked Sendable {
    static let pause = TimeAmount.milliseconds(200)

    private let loop: any EventLoop
    private let name: String
    private let logger: Logger
    private let bind: () -> EventLoopFuture<any Channel>
    private var messages = LineLimit(atOnce: 1)
    private var isClosed = false
    /// The socket, when there is one.
    private(set) var channel: (any Channel)?

    /// `bind` is called on the loop, each time that the port is opened.
    init(loop: any EventLoop, name: String, logger: Logger, bind: @escaping () -> EventLoopFuture<any Channel>) {
        self.loop = loop
        self.name = name
        self.logger = logger
        self.bind = bind
    }

    /// Opens the port; fails when that fails the first time.
    func open() -> EventLoopFuture<Void> {
        loop.flatSubmit { self.bind().map { self.opened($0) } }
    }

    /// Closes it for good.
    func close() {
        loop.preconditionInEventLoop()
        isClosed = true
        channel?.close(promise: nil)
    }

    private func opened(_ channel: any Channel) {
        loop.preconditionInEventLoop()
        guard !isClosed else { return channel.close(promise: nil) }
        self.channel = channel
        channel.closeFuture.whenComplete { _ in self.closed() }
    }

    private func closed() {
        channel = nil
        guard !isClosed else { return }
        say("a port was closed by the system and is opened again", "accept failed")
        reopen()
    }

    private func reopen() {
        loop.scheduleTask(in: Self.pause) {
            guard !self.isClosed else { return }
            self.bind().whenComplete { result in
                switch result {
                case .success(let channel): self.opened(channel)
                case .failure(let error):
                    self.say("a port can't be opened again for now", "\(error)")
                    self.reopen()
                }
            }
        }
    }

    private func say(_ message: Logger.Message, _ reason: String) {
        guard messages.take() != nil else { return }
        logger.error(message, metadata: [LogKey.port: "\(name)", LogKey.reason: "\(reason)"])
    }
}
