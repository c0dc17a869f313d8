import Foundation
import Testing

@testable import NodeServer

/// The secret, and the files that hold it.
@Suite final class SecretTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "jobboard-secret-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func configuration(_ keys: String, host: String = "127.0.0.1", mode: Int = 0o600) throws -> ClusterConfiguration {
        let node = #"{"id": 1, "host": "\#(host)", "peer_port": 7101, "client_port": 7201}"#
        let path = try write(#"{"cluster": "c", \#(keys) "nodes": [\#(node)]}"#, to: "cluster.json", mode: mode)
        return try ClusterConfiguration.load(file: path)
    }

    private func refusal(_ source: SecretSource?) -> String {
        do throws(ConfigurationError) {
            _ = try source?.read()
            return "none"
        } catch {
            return error.description
        }
    }

    @Test func `a fresh secret is long enough and never the same`() {
        let made = (0..<100).map { _ in ClusterSecret.fresh() }
        #expect(made.allSatisfy { ClusterSecret.refusal(of: $0) == nil && $0.allSatisfy(\.isHexDigit) })
        #expect(Set(made).count == 100)
    }

    @Test func `the keys differ by cluster and by use`() {
        let secret = String(repeating: "s", count: 32)
        let (one, other) = (ClusterSecret(secret, cluster: "c"), ClusterSecret(secret, cluster: "d"))
        #expect(one.code(over: [1]) == ClusterSecret(secret, cluster: "c").code(over: [1]))
        #expect(one.code(over: [1]) != other.code(over: [1]))
        let greetings = [UInt8](repeating: 1, count: 8).withUnsafeBytes { PeerTranscript(dialer: $0, acceptor: $0) }
        let text = Array("dialer\0".utf8) + greetings.bytes
        #expect(Array(one.proof(by: .dialer, of: greetings).prefix(16)) != one.code(over: text))
    }

    @Test func `a short secret is refused with advice`() throws {
        let text = try configuration(#""secret": "thirty-one characters, sadly..","#)
        #expect(refusal(text.secret).contains("has 30 characters and needs at least 32; `jobboard secret new` makes one"))
        let file = try write("thirty-one characters, sadly...\n", to: "secret")
        #expect(refusal(.file(file)).contains("has 31 characters and needs at least 32"))
    }

    @Test func `a secret file lies beside the cluster file, and ends with its line`() throws {
        let secret = ClusterSecret.fresh()
        let file = try write("\(secret)\n", to: "secret")
        let configuration = try configuration(#""secret_file": "secret","#, mode: 0o644)
        #expect(configuration.secret == .file(file))
        #expect(try configuration.secret?.read() == secret)
        #expect(refusal(.file(try write("\(secret)\n\(secret)\n", to: "two"))).contains("has one line"))
        #expect(refusal(.file("\(folder)/none")).contains("No such file"))
        #expect(refusal(.file(folder)).contains("not a regular file"))
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o644])
    func `a secret that others can read or replace is refused`(mode: Int) throws {
        let file = try write(ClusterSecret.fresh(), to: "secret", mode: mode)
        let octal = String(mode, radix: 8)
        let expected = "\(file): it is the \"secret_file\" and is open to other users (mode \(octal)); run: chmod 600 \(file)"
        #expect(refusal(.file(file)) == expected)
        let inside = try configuration("\"secret\": \"\(ClusterSecret.fresh())\",", mode: mode)
        #expect(refusal(inside.secret).contains("it holds the \"secret\" and is open to other users (mode \(octal))"))
    }

    @Test func `a symbolic link counts when its owner is trusted`() throws {
        let secret = ClusterSecret.fresh()
        let file = try write(secret, to: "secret")
        let link = "\(folder)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        #expect(try SecretSource.file(link).read() == secret)
        // Only root can give a link to another user.
        guard getuid() == 0 else { return }
        #expect(lchown(link, 65_534, 65_534) == 0)
        #expect(refusal(.file(link)).contains("is a symbolic link of another user (uid 65534)"))
        #expect(chown(file, 65_534, 65_534) == 0)
        #expect(refusal(.file(file)).contains("belongs to another user (uid 65534)"))
    }

    @Test func `a client reads a cluster file without its secret`() throws {
        let configuration = try configuration(#""secret_file": "not-for-clients", "insecure": true,"#, host: "10.0.0.1")
        #expect(configuration.clientAddresses == ["10.0.0.1:7201"])
        #expect(refusal(configuration.secret).contains("not-for-clients: No such file"))
        #expect(try self.configuration(#""insecure": true,"#, host: "10.0.0.1").clientAddresses == ["10.0.0.1:7201"])
    }
}
