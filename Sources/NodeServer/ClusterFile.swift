import Foundation
import Logging
import WireFormat

extension ClusterConfiguration {
    /// Reads a cluster file (JSON). Every mistake is a one-line error that names the file and the key.
    package static func load(file path: String) throws(ConfigurationError) -> ClusterConfiguration {
        let text: [UInt8]
        do {
            text = Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            let missing = !FileManager.default.fileExists(atPath: path)
            throw ConfigurationError("\(path): \(missing ? "no such file" : "can't be read")")
        }
        do {
            return try read(text, file: path)
        } catch {
            throw ConfigurationError("\(path): \(error.description)")
        }
    }

    /// Reads the text of a cluster file. `file`: where it came from; other files that it names are beside it.
    package static func read(_ text: [UInt8], file: String? = nil) throws(ConfigurationError) -> ClusterConfiguration {
        let value: JSONValue
        do {
            value = try JSONReader.read(text)
        } catch {
            throw ConfigurationError("not JSON: \(error.message)")
        }
        var section = try Section(value, name: "the file")
        var configuration = ClusterConfiguration(cluster: try section.name("cluster"), nodes: try nodes(&section))
        configuration.secret = try secret(&section, file)
        configuration.dataFolder = try section.optionalText("data")
        if let level = try section.optionalText("log_level") {
            guard let known = Logger.Level(rawValue: level) else {
                throw ConfigurationError(
                    "\"log_level\" must be trace, debug, info, notice, warning, error or critical, not \"\(level)\"")
            }
            configuration.logLevel = known
        }
        configuration.insecure = try section.optionalBool("insecure") ?? false
        configuration.heartbeatMilliseconds = try section.number("heartbeat_ms", in: 5...10_000, otherwise: 50)
        configuration.electionTimeoutMilliseconds = try section.number("election_timeout_ms", in: 50...60_000, otherwise: 500)
        configuration.snapshotBytes = try section.number("snapshot_bytes", in: 64 << 10...1 << 40, otherwise: 64 << 20)
        configuration.segmentBytes = try section.number("segment_bytes", in: 8 << 20...1 << 30, otherwise: 64 << 20)
        let memory = try section.number("memory_bytes", in: 0...1 << 50, otherwise: 0)
        guard memory == 0 || memory >= 64 << 20 else { throw ConfigurationError("\"memory_bytes\" must be at least 67108864") }
        configuration.memoryBytes = memory == 0 ? nil : memory
        try section.refuseOthers()
        try configuration.check()
        return configuration
    }

    private static func secret(_ section: inout Section, _ file: String?) throws(ConfigurationError) -> SecretSource? {
        let text = try section.optionalText("secret")
        guard let name = try section.optionalText("secret_file") else { return text.map { .text($0, file: file) } }
        guard text == nil else { throw ConfigurationError("\"secret\" and \"secret_file\" exclude each other") }
        guard !name.hasPrefix("/"), let end = file?.lastIndex(of: "/"), let file else { return .file(name) }
        return .file(file[...end] + name)
    }

    private static func nodes(_ section: inout Section) throws(ConfigurationError) -> [Node] {
        guard let items = section.take("nodes")?.items else { throw ConfigurationError("\"nodes\" must be an array of objects") }
        var nodes: [Node] = []
        for (place, item) in items.enumerated() {
            var node = try Section(item, name: "nodes[\(place)]")
            let httpPort = try node.port("http_port", isOptional: true)
            nodes.append(
                Node(
                    id: try node.number("id", in: 1...UInt64(Int64.max)), host: try node.name("host"),
                    peerPort: try node.port("peer_port")!, clientPort: try node.port("client_port")!, httpPort: httpPort))
            try node.refuseOthers()
        }
        return nodes
    }

    /// What is wrong with the whole, where each part is right.
    private func check() throws(ConfigurationError) {
        guard [1, 3, 5, 7].contains(nodes.count) else {
            throw ConfigurationError("\"nodes\" must name 1, 3, 5 or 7 nodes, not \(nodes.count)")
        }
        var ids: Set<UInt64> = []
        var ports: Set<String> = []
        for node in nodes {
            guard ids.insert(node.id).inserted else { throw ConfigurationError("\"id\" \(node.id) stands twice in \"nodes\"") }
            for port in [node.peerPort, node.clientPort] + (node.httpPort.map { [$0] } ?? []) {
                guard ports.insert("\(node.host):\(port)").inserted else {
                    throw ConfigurationError("port \(port) of \(node.host) is used twice")
                }
            }
        }
        guard segmentBytes % 4096 == 0 else { throw ConfigurationError("\"segment_bytes\" must be a multiple of 4096") }
        guard electionTimeoutMilliseconds >= 4 * heartbeatMilliseconds else {
            throw ConfigurationError("\"election_timeout_ms\" must be at least four times \"heartbeat_ms\"")
        }
    }
}

/// One JSON object of the file; every key that nobody asked for is an error in the end.
private struct Section {
    private let title: String
    private var rest: [(name: String, value: JSONValue)]

    init(_ value: JSONValue, name: String) throws(ConfigurationError) {
        guard let members = value.members else { throw ConfigurationError("\(name) must be an object") }
        title = name
        rest = members.map { ($0.name, $0.value) }
        var names: Set<String> = []
        for member in rest {
            guard names.insert(member.name).inserted else {
                throw ConfigurationError("key \"\(member.name)\" stands twice in \(title)")
            }
        }
    }

    mutating func take(_ key: String) -> JSONValue? {
        guard let place = rest.firstIndex(where: { $0.name == key }) else { return nil }
        return rest.remove(at: place).value
    }

    mutating func optionalText(_ key: String) throws(ConfigurationError) -> String? {
        guard let value = take(key) else { return nil }
        guard let text = value.string, !text.isEmpty else { throw ConfigurationError("\"\(key)\" in \(title) must be a text") }
        return text
    }

    mutating func name(_ key: String) throws(ConfigurationError) -> String {
        guard let text = try optionalText(key) else { throw ConfigurationError("\"\(key)\" is missing in \(title)") }
        guard text.utf8.count <= 255 else { throw ConfigurationError("\"\(key)\" in \(title) has more than 255 bytes") }
        return text
    }

    mutating func optionalBool(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let value = take(key) else { return nil }
        guard case .bool(let bool) = value.content else {
            throw ConfigurationError("\"\(key)\" in \(title) must be true or false")
        }
        return bool
    }

    mutating func number(
        _ key: String, in range: ClosedRange<UInt64>, otherwise: UInt64? = nil
    ) throws(ConfigurationError) -> UInt64 {
        guard let value = take(key) else {
            if let otherwise { return otherwise }
            throw ConfigurationError("\"\(key)\" is missing in \(title)")
        }
        guard let number = value.unsigned, range.contains(number) else {
            throw ConfigurationError(
                "\"\(key)\" in \(title) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func port(_ key: String, isOptional: Bool = false) throws(ConfigurationError) -> Int? {
        if isOptional, !rest.contains(where: { $0.name == key }) { return nil }
        return Int(try number(key, in: 1...65_535))
    }

    func refuseOthers() throws(ConfigurationError) {
        if let other = rest.first { throw ConfigurationError("unknown key \"\(other.name)\" in \(title)") }
    }
}
