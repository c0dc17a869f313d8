import Consensus
package import Logging
import NodeEngine

/// What a cluster file says. The names of its keys are in the README.
package struct ClusterConfiguration: Sendable, Equatable {
    package struct Node: Sendable, Equatable {
        package var id: UInt64
        package var host: String
        /// One number for TCP and UDP.
        package var peerPort: Int
        package var clientPort: Int
        package var httpPort: Int?

        package init(id: UInt64, host: String, peerPort: Int, clientPort: Int, httpPort: Int? = nil) {
            self.id = id
            self.host = host
            self.peerPort = peerPort
            self.clientPort = clientPort
            self.httpPort = httpPort
        }

        /// Where clients find it: "host:port".
        package var clientAddress: String {
            host.contains(":") ? "[\(host)]:\(clientPort)" : "\(host):\(clientPort)"
        }
    }

    package var cluster: String
    package var nodes: [Node]
    /// Where nodes find what they prove to each other that they know; nil for the development secret.
    package var secret: SecretSource?
    /// Where the data of the nodes goes: each has a folder `node-ID` in it.
    package var dataFolder: String?
    /// Lines of log below it are left out; nil where the file does not say.
    package var logLevel: Logger.Level?
    /// Listen on other addresses than loopback all the same.
    package var insecure = false
    package var heartbeatMilliseconds: UInt64 = 50
    package var electionTimeoutMilliseconds: UInt64 = 500
    package var segmentBytes: UInt64 = 64 << 20
    /// Bytes of log after which a snapshot is taken.
    package var snapshotBytes: UInt64 = 64 << 20

    /// What the state may take of a node's memory; nil for its part of what the machine has.
    package var memoryBytes: UInt64?

    package init(cluster: String, nodes: [Node]) {
        self.cluster = cluster
        self.nodes = nodes
    }

    /// One node on loopback, for a `serve` without a file.
    package static func singleNode(clientPort: Int = 7201, peerPort: Int = 7101) -> ClusterConfiguration {
        ClusterConfiguration(
            cluster: "single", nodes: [Node(id: 1, host: "127.0.0.1", peerPort: peerPort, clientPort: clientPort)])
    }

    /// Throws when the node is not in the file.
    func node(_ id: UInt64) throws(ConfigurationError) -> Node {
        if let node = nodes.first(where: { $0.id == id }) { return node }
        let ids = nodes.map { "\($0.id)" }.joined(separator: ", ")
        throw ConfigurationError("node \(id) is not in cluster \"\(cluster)\", which has \(ids)")
    }

    /// Where clients find the nodes: "host:port", in the order of the file.
    package var clientAddresses: [String] { nodes.map(\.clientAddress) }

    /// What nodes prove that they know when the file names no secret; good for loopback alone.
    private static let developmentSecret = "jobboard development secret: loopback only"

    /// The secret that a node uses. Reads the file that holds it.
    func nodeSecret() throws(ConfigurationError) -> ClusterSecret {
        ClusterSecret(try secret?.read() ?? Self.developmentSecret, cluster: cluster)
    }

    func engineSettings() -> EngineSettings {
        var settings = EngineSettings(
            cluster: cluster,
            clientAddresses: Dictionary(uniqueKeysWithValues: nodes.map { (NodeID($0.id), $0.clientAddress) }))
        settings.snapshotBytes = snapshotBytes
        let machine = MemoryLimit.detected()
        settings.replica.memoryBytes = memoryBytes ?? machine.map(MemoryLimit.part) ?? 0
        // A state that counts for more than all the memory there is can't be held.
        settings.loadableBytes = machine.map { max($0, settings.replica.memoryBytes) } ?? .max
        settings.sessionKey = SessionHash.key
        settings.replica.heartbeat = heartbeatMilliseconds
        settings.replica.electionTimeout = electionTimeoutMilliseconds
        return settings
    }
}

/// A cluster file that can't be used: one line that names the file and the key.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
