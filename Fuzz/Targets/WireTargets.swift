import WireFormat

extension FuzzTarget {
    static let commands = recoding("commands", Recoding.commands)
    static let requests = recoding("requests", Recoding.request)
    static let responses = recoding("responses", Recoding.response)
    static let peers = recoding("peers", Recoding.peer)
    static let transfers = recoding("transfers", Recoding.transfer)
    /// A client's hello, a peer's, and a peer's proof: their first bytes tell them apart.
    static let greetings = recoding(
        "greetings", maximumBytes: 512, Recoding.clientHello, Recoding.peerHello, Recoding.peerProof)

    private static func recoding(
        _ name: String, maximumBytes: Int = 4096, _ ways: (@Sendable (UnsafeRawBufferPointer) throws -> [UInt8])...
    ) -> FuzzTarget {
        FuzzTarget(name, maximumBytes: maximumBytes) { bytes in
            for recode in ways {
                do {
                    let again = try bytes.withUnsafeBytes { try recode($0) }
                    hold(again == bytes, "\(bytes) is also \(again)")
                } catch {
                    hold(error is WireError, "\(error) instead of a wire error")
                }
            }
        }
    }
}
