/// What connections may take of a node: descriptors, bytes read and not yet understood, bytes to be written, requests.
extension Budget {
    static let connectionBudgets = [
        descriptors, connections, greetingConnections, greetingConnectionsPerAddress, peerGreetingConnections, receivedBytes,
        frameTime, requestBytesPerTurn, requestsPerConnection, blockingBytes, unsentBytesPerConnection, unsentBytes,
    ]

    package static let descriptors = Budget(
        "descriptors", per: .node, 1 << 20, .count,
        meaning: "Open files and sockets; in force is the process's hard limit (`ulimit -Hn`) where that is lower.",
        whenExceeded: "Whatever needs one waits and is tried again.")

    package static let connections = Budget(
        "connections", per: .node, 16_384, .count,
        meaning: "Connections of clients; fewer where descriptors are short, since some are kept for files and for other nodes.",
        whenExceeded: "From nine tenths on the address with the most loses its oldest idle one; at the limit newcomers "
            + "are closed.")

    package static let greetingConnections = Budget(
        "greeting_connections", per: .node, 512, .count,
        meaning: "Connections of clients that have not completed their greeting, which have 5 s for it.",
        whenExceeded: "The oldest of them is closed.")

    package static let greetingConnectionsPerAddress = Budget(
        "greeting_connections_per_address", per: .address, 128, .count,
        meaning: "The same, from one address (of IPv6, from one /64).", whenExceeded: "The oldest of that address is closed.")

    package static let peerGreetingConnections = Budget(
        "peer_greeting_connections", per: .node, 128, .count,
        meaning: "Connections to the peer port that have not yet proved to be another node's; half as many from one address.",
        whenExceeded: "The oldest of them is closed.")

    package static let receivedBytes = Budget(
        "received_bytes", per: .node, 256 << 20, .bytes,
        meaning: "What came from clients, and in greetings at the peer port, and is not yet a whole request, or waits until the "
            + "client may go on.",
        whenExceeded: "The connection with the most bytes times the time that it has held them is closed.")

    package static let frameTime = Budget(
        "frame_time", per: .connection, 30_000, .milliseconds,
        meaning: "How long a request may be on its way, and a second more for each 16 KiB of it that are here.",
        whenExceeded: "The connection is closed.")

    package static let requestBytesPerTurn = Budget(
        "request_bytes_per_turn", per: .turn, 1 << 20, .bytes,
        meaning: "Requests that are taken in before the node looks at all sockets again; the one that leads past it is taken.",
        whenExceeded: "The rest waits for following turns, one connection after another.")

    package static let requestsPerConnection = Budget(
        "requests_per_connection", per: .connection, 4096, .count,
        meaning: "Requests that are to be answered at once and are not answered yet. Waits, watches and claims that wait "
            + "count as `parked_requests`.",
        whenExceeded: "The connection is not read from until some are answered.")

    package static let blockingBytes = Budget(
        "blocking_bytes", per: .connection, 1 << 20, .bytes, meaning: "Answers that the client has not read yet.",
        whenExceeded: "The connection is not read from until half of that is left.")

    package static let unsentBytesPerConnection = Budget(
        "unsent_bytes_per_connection", per: .connection, 16 << 20, .bytes, meaning: "Answers that the client has not read yet.",
        whenExceeded: "The connection is closed.")

    package static let unsentBytes = Budget(
        "unsent_bytes", per: .node, 256 << 20, .bytes, meaning: "Answers that clients have not read yet, of all together.",
        whenExceeded: "The connection that holds the most is closed.")
}
