import WireFormat

/// What a stream between nodes may take, and a stranger on a peer port.
extension Budget {
    static let peers = [
        unsentToPeer, greetingTime, greetingBytes, recordBytes, streamPing, streamSilence, peerQuestions, repairBytes,
    ]

    package static let peerQuestions = Budget(
        "peer_questions", per: .node, 256, .count,
        meaning: "Questions of other nodes about blocks and snapshots that wait for the disk.",
        whenExceeded: "The question is dropped; the other node asks again.")

    package static let repairBytes = Budget(
        "repair_bytes", per: .node, 64 << 20, .bytes,
        meaning: "Blocks from other nodes that wait to be stored in place of damaged ones.",
        whenExceeded: "The block is dropped and asked for again.")

    package static let unsentToPeer = Budget(
        "unsent_bytes_per_peer", per: .connection, 64 << 20, .bytes,
        meaning: "Bytes for another node that its connection has not taken yet.",
        whenExceeded: "The stream is closed and dialled again; what it was to carry is sent again by consensus.")

    package static let greetingTime = Budget(
        "greeting_time", per: .connection, 5000, .milliseconds,
        meaning: "From a connection's beginning until its greeting, and on a peer port its proof, is there.",
        whenExceeded: "The connection is closed.")

    package static let greetingBytes = Budget(
        "greeting_bytes", per: .connection, Framing.maximumHelloFrame, .bytes,
        meaning: "A greeting or a proof: the first frames of any connection.", whenExceeded: "The connection is closed.")

    package static let recordBytes = Budget(
        "stream_record_bytes", per: .connection, Framing.maximumRecord, .bytes,
        meaning: "A record between nodes: bytes that are held before their code can be checked.",
        whenExceeded: "The stream is closed and dialled again.")

    package static let streamPing = Budget(
        "stream_ping_time", per: .connection, 1000, .milliseconds,
        meaning: "Silence of a side of a stream between nodes until it sends a ping.", whenExceeded: "A ping is sent.")

    package static let streamSilence = Budget(
        "stream_silence_time", per: .connection, 5000, .milliseconds,
        meaning: "From one whole record on a stream between nodes to the next, pings among them.",
        whenExceeded: "The stream is closed and dialled again.")
}
