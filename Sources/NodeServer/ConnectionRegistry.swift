import EventLog
import Logging
import NIOCore
import NodeEngine
import WireFormat

/// All connections that a node has accepted, and what they hold of its budgets.
///
/// `@unchecked`: everything in it is used on `loop` alone, which the entry points check.
final class ConnectionRegistry: @unchecked Sendable {
    let loop: any EventLoop
    let budgets: Budgets
    private let logger: Logger
    /// Of the process.
    private let descriptorLimit: Int
    /// Open descriptors that nothing here counts.
    private var otherDescriptors = 0
    /// On which it accepts them.
    var ports: [ListeningPort] = []
    private var table: ConnectionTable
    private var open: [UInt64: AcceptedConnection] = [:]
    private var nextNumber: UInt64 = 1
    private var received: ByteLedger
    private var unsent: ByteLedger
    private var refused: [Budget: UInt64] = [:]
    private let strangers: StrangerLog
    private var acceptMessages = LineLimit(atOnce: 1)

    init(loop: any EventLoop, descriptorLimit: Int, budgets: Budgets = Budgets(), logger: Logger) {
        self.loop = loop
        self.budgets = budgets
        self.descriptorLimit = descriptorLimit
        self.logger = logger
        strangers = StrangerLog(logger: logger, budgets: budgets)
        table = ConnectionTable(limits: Self.limits(budgets, descriptorLimit))
        received = ByteLedger(limit: budgets[.receivedBytes])
        unsent = ByteLedger(limit: budgets[.unsentBytes])
    }

    /// A log that has grown long has many files, which leave fewer descriptors for connections.
    private static func limits(_ budgets: Budgets, _ descriptorLimit: Int) -> ConnectionTable.Limits {
        let peerGreeting = max(1, min(budgets[.peerGreetingConnections], descriptorLimit / 8))
        let possible = Descriptors.connections(
            limit: descriptorLimit, files: PosixDisk.openDescriptors, peerGreeting: peerGreeting)
        let total = min(budgets[.connections], possible)
        let greeting = max(1, min(budgets[.greetingConnections], total / 4))
        return ConnectionTable.Limits(
            total: total, greeting: greeting,
            greetingPerAddress: max(1, min(budgets[.greetingConnectionsPerAddress], greeting / 2)),
            peerGreeting: peerGreeting, peerGreetingPerAddress: max(1, peerGreeting / 2))
    }

    /// Descriptors are counted once; from then on it is known what comes and goes.
    func countDescriptors() {
        loop.preconditionInEventLoop()
        otherDescriptors = max(0, Descriptors.count() - PosixDisk.openDescriptors - table.count)
    }

    // MARK: Connections

    /// Takes in a connection that was accepted. Another may be closed for it.
    func accept(_ channel: any Channel, on port: ConnectionTable.Port) -> AcceptedConnection {
        loop.preconditionInEventLoop()
        let connection = AcceptedConnection(nextNumber, channel: channel, registry: self)
        nextNumber += 1
        open[connection.number] = connection
        let victim = table.accept(connection.number, on: port, from: ConnectionAddress(connection.remoteAddress))
        let number = connection.number
        channel.closeFuture.whenComplete { [weak self] _ in self?.closed(number) }
        if let victim {
            shed(victim, for: port == .client ? .greetingConnections : .peerGreetingConnections)
        }
        return connection
    }

    fileprivate func closed(_ number: UInt64) {
        table.close(number)
        guard let connection = open.removeValue(forKey: number) else { return }
        connection.closed()
        _ = received.set(0, of: number)
        _ = unsent.set(0, of: number)
    }

    func greeted(_ connection: AcceptedConnection) -> Bool {
        switch table.greet(connection.number, isIdle: { open[$0]?.takeIdleness() ?? true }) {
        case .welcome(let victim):
            if let victim { shed(victim, for: .connections) }
            return true
        case .refused:
            shed(connection.number, for: .connections)
            return false
        }
    }

    private func shed(_ number: UInt64, for budget: Budget) {
        refused[budget, default: 0] += 1
        guard let connection = open[number] else { return }
        strangers.warning(
            .shed, "connection closed for a budget",
            [LogKey.address: "\(connection.remoteAddress?.description ?? "?")", LogKey.budget: "\(budget.name)"])
        // Not at once: its handler may be in the middle of something.
        loop.execute { self.open[number]?.close() }
    }

    /// Accepts no more connections.
    func stopListening() {
        loop.preconditionInEventLoop()
        for port in ports { port.close() }
        ports = []
    }

    /// Closes connections whose frame does not come to its end. To be called once a second.
    func sweep() {
        loop.preconditionInEventLoop()
        table.limits = Self.limits(budgets, descriptorLimit)
        let now = loop.now
        let limit = TimeAmount.milliseconds(Int64(budgets[.frameTime]))
        for number in Array(received.holders) where open[number]?.isLate(at: now, after: limit) == true {
            shed(number, for: .frameTime)
        }
    }

    // MARK: Bytes

    func changed(received bytes: Int, of number: UInt64) {
        let now = loop.now
        // By size alone many connections with half a request each would make room at the cost of whoever sends a large one.
        let victim = received.set(bytes, of: number) { number, _ in open[number]?.byteTime(at: now) ?? 0 }
        if let victim { shed(victim, for: .receivedBytes) }
    }

    func changed(unsent bytes: Int, of number: UInt64) {
        if let victim = unsent.set(bytes, of: number) { shed(victim, for: .unsentBytes) }
    }

    /// A connection was closed for a budget of its own.
    func exceeded(_ budget: Budget) {
        refused[budget, default: 0] += 1
    }

    // MARK: For people

    /// The system gives no descriptor for a connection that waits; it is tried again.
    func cannotAccept(on port: String, _ reason: String) {
        refused[.descriptors, default: 0] += 1
        guard acceptMessages.take() != nil else { return }
        logger.warning("no connection can be accepted for now", metadata: [LogKey.port: "\(port)", LogKey.reason: "\(reason)"])
    }

    /// How much of its budgets is in use.
    var readings: [BudgetReading] {
        let descriptors = otherDescriptors + PosixDisk.openDescriptors + table.count
        return [
            reading(.descriptors, used: descriptors, limit: descriptorLimit),
            reading(.connections, used: table.clients, limit: table.limits.total),
            reading(.greetingConnections, used: table.greetingClients, limit: table.limits.greeting),
            reading(.peerGreetingConnections, used: table.greetingPeers, limit: table.limits.peerGreeting),
            reading(.receivedBytes, used: received.total, limit: received.limit),
            reading(.frameTime, used: 0, limit: budgets[.frameTime]),
            reading(.unsentBytesPerConnection, used: unsent.most, limit: budgets[.unsentBytesPerConnection]),
            reading(.unsentBytes, used: unsent.total, limit: unsent.limit),
        ]
    }

    private func reading(_ budget: Budget, used: Int, limit: Int) -> BudgetReading {
        BudgetReading(name: budget.name, used: UInt64(used), limit: UInt64(limit), refused: refused[budget] ?? 0)
    }
}
