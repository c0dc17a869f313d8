import NIOCore

/// One connection that was accepted, as its handler and the registry see it. On the node's loop alone.
final class AcceptedConnection {
    let number: UInt64
    let remoteAddress: SocketAddress?
    private let channel: any Channel
    private unowned let registry: ConnectionRegistry
    /// Something came since this was last asked.
    private var isUsed = false
    /// Requests without an answer.
    var requests = 0
    private(set) var isOpen = true
    /// What came and is not yet a frame, and since when a frame has been on its way.
    private(set) var receivedBytes = 0
    private var frameBegan: NIODeadline?
    /// Since when such bytes have been here with no frame ending, whoever is to blame for it.
    private var holdsSince: NIODeadline?
    private var unsentBytes = 0

    init(_ number: UInt64, channel: any Channel, registry: ConnectionRegistry) {
        self.number = number
        self.channel = channel
        self.registry = registry
        remoteAddress = channel.remoteAddress
    }

    /// The greeting is complete. False when there is no room: then the connection is being closed.
    func greeted() -> Bool { registry.greeted(self) }

    /// Something came. So many bytes of it are left over; `hasAdvanced`: a frame has ended. `isHeld`: the node is the one that
    /// does not go on.
    func received(left bytes: Int, hasAdvanced: Bool, isHeld: Bool) {
        isUsed = true
        if bytes == 0 || isHeld {
            frameBegan = nil
        } else if hasAdvanced || frameBegan == nil {
            frameBegan = registry.loop.now
        }
        if hasAdvanced { holdsSince = registry.loop.now }
        holds(received: bytes)
    }

    /// So many bytes of frames that are not whole are here.
    func holds(received bytes: Int) {
        guard bytes != receivedBytes, isOpen else { return }
        if receivedBytes == 0 { holdsSince = registry.loop.now }
        receivedBytes = bytes
        registry.changed(received: bytes, of: number)
    }

    /// So many bytes wait for the client to read them.
    func holds(unsent bytes: Int) {
        guard bytes != unsentBytes, isOpen else { return }
        unsentBytes = bytes
        registry.changed(unsent: bytes, of: number)
    }

    /// Nothing is under way, and nothing has come since this was last asked.
    func takeIdleness() -> Bool {
        defer { isUsed = false }
        return !isUsed && requests == 0
    }

    /// A frame that takes this long will not end, or its sender only means to keep the connection.
    func isLate(at now: NIODeadline, after limit: TimeAmount) -> Bool {
        guard let frameBegan else { return false }
        return now - frameBegan > limit + .milliseconds(Int64(receivedBytes / 16))
    }

    /// What it holds times how long: a client that sends a large request and goes on with it weighs less than one that keeps
    /// a smaller part of one. In byte-milliseconds.
    func byteTime(at now: NIODeadline) -> Int {
        let age = holdsSince.map { Int((now - $0).nanoseconds / 1_000_000) } ?? 0
        return receivedBytes * max(1, age)
    }

    func close() { channel.close(promise: nil) }

    /// The registry has seen it closed.
    func closed() { isOpen = false }
}
