import NIOCore

extension JobboardClient {
    /// Limits and habits of a client.
    public struct Options: Sendable {
        /// How long a call may take that names no timeout; the wait of a call that waits comes on top.
        public var timeout: Duration = .seconds(10)
        /// How long the cluster remembers this client's answers without a sign of life from it.
        public var sessionTimeToLive: Duration = .seconds(600)
        /// Requests sent and not answered; more wait in the client.
        public var maximumOnWire = 1024
        /// Open calls; more are refused with `overloaded`.
        public var maximumCalls = 65_536
        /// How long a node may take to accept a connection and to greet.
        public var connectTimeout: Duration = .seconds(1)
        /// Events that a watch reads ahead of its reader.
        public var watchBuffer = 1024
        /// When not empty, nodes of another cluster are not talked to.
        public var cluster = ""

        /// The defaults.
        public init() {}

        func machineConfiguration<Waiter>(followsLeader: Bool) -> ClientStateMachine<Waiter>.Configuration {
            var configuration = ClientStateMachine<Waiter>.Configuration()
            configuration.sessionMilliseconds = UInt32(clamping: max(1, sessionTimeToLive.clampedMilliseconds))
            configuration.maximumOnWire = max(1, maximumOnWire)
            configuration.maximumCalls = max(1, maximumCalls)
            configuration.greeting = max(1, connectTimeout.clampedNanoseconds)
            configuration.cluster = cluster
            configuration.followsLeader = followsLeader
            return configuration
        }
    }
}

extension NodeConnector {
    init(eventLoop: any EventLoop, options: JobboardClient.Options) {
        self.init(
            eventLoop: eventLoop, timeout: .nanoseconds(max(1_000_000, options.connectTimeout.clampedNanoseconds)),
            cluster: options.cluster)
    }
}
