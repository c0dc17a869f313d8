import Testing

@testable import NodeServer

@Suite struct ClusterFileTests {
    private func message(_ text: String) -> String? {
        do throws(ConfigurationError) {
            _ = try ClusterConfiguration.read(Array(text.utf8))
            return nil
        } catch {
            return error.description
        }
    }

    private static let node = #"{"id": 1, "host": "127.0.0.1", "peer_port": 7101, "client_port": 7201}"#

    @Test func aFileWithTheLeastIsEnough() throws {
        let text = #"{"cluster": "c", "nodes": [\#(Self.node)]}"#
        let configuration = try ClusterConfiguration.read(Array(text.utf8))
        #expect(configuration.clientAddresses == ["127.0.0.1:7201"])
        #expect(configuration.electionTimeoutMilliseconds == 500)
    }

    @Test(arguments: [
        ("{", "not JSON"),
        ("[]", "the file must be an object"),
        (#"{"nodes": [NODE]}"#, #""cluster" is missing"#),
        (#"{"cluster": 5, "nodes": [NODE]}"#, #""cluster" in the file must be a text"#),
        (#"{"cluster": "c", "nodes": {}}"#, #""nodes" must be an array"#),
        (#"{"cluster": "c", "nodes": [NODE, NODE]}"#, "1, 3, 5 or 7"),
        (#"{"cluster": "c", "nodes": [NODE], "colour": 1}"#, #"unknown key "colour" in the file"#),
        (
            #"{"cluster": "c", "nodes": [{"id": 1, "host": "127.0.0.1", "peer_port": 7101, "client_port": "x"}]}"#,
            #""client_port" in nodes[0]"#
        ),
        (#"{"cluster": "c", "nodes": [{"id": 1, "host": "127.0.0.1", "peer_port": 7101, "client_port": 7101}]}"#, "used twice"),
        (#"{"cluster": "c", "cluster": "d", "nodes": [NODE]}"#, "stands twice"),
        (#"{"cluster": "c", "nodes": [NODE], "secret": "s", "secret_file": "f"}"#, "exclude each other"),
        (#"{"cluster": "c", "nodes": [NODE], "heartbeat_ms": 400}"#, "four times"),
        (#"{"cluster": "c", "nodes": [NODE], "segment_bytes": 8388609}"#, "multiple of 4096"),
        (#"{"cluster": "c", "nodes": [NODE], "insecure": "yes"}"#, "true or false"),
    ]) func aMistakeIsNamed(text: String, part: String) {
        let message = message(text.replacing("NODE", with: Self.node))
        #expect(message?.contains(part) == true, "got \(message ?? "no error")")
        #expect(message?.contains("\n") == false)
    }
}
