/// Which connections a node has accepted, and which of them must go so that others find room. It decides; whoever owns the
/// sockets closes them.
struct ConnectionTable {
    enum Port: Sendable {
        case client, peer
    }

    struct Limits: Equatable {
        /// Connections of clients, greeted or not.
        var total: Int
        /// Not greeted, on the clients' port.
        var greeting: Int
        var greetingPerAddress: Int
        /// Not greeted, on the peers' port. Clients never take from it.
        var peerGreeting: Int
        var peerGreetingPerAddress: Int

        /// Of clients that have greeted. The rest of the total is for those that have not.
        var greeted: Int { max(1, total - greeting) }
    }

    /// What becomes of a connection that has greeted.
    enum Verdict: Equatable {
        /// It stays; that other one has to go.
        case welcome(shedding: UInt64?)
        /// There is no room, and no address has more than its share.
        case refused
    }

    private struct Entry {
        let port: Port
        let address: ConnectionAddress
        var hasGreeted = false
    }

    var limits: Limits
    private var entries: [UInt64: Entry] = [:]
    private var clientsGreeting = GreetingQueue()
    private var peersGreeting = GreetingQueue()
    private var crowd = AddressCrowd()
    private var peerCount = 0

    init(limits: Limits) {
        self.limits = limits
    }

    /// Of clients, greeted or not.
    var clients: Int { entries.count - peerCount }
    var greetingClients: Int { clientsGreeting.count }
    var greetingPeers: Int { peersGreeting.count }
    /// On both ports.
    var count: Int { entries.count }

    /// A connection was accepted. Gives the one that has to go for it.
    mutating func accept(_ number: UInt64, on port: Port, from address: ConnectionAddress) -> UInt64? {
        entries[number] = Entry(port: port, address: address)
        switch port {
        case .client:
            return clientsGreeting.add(
                number, from: address, limit: limits.greeting, perAddress: limits.greetingPerAddress)
        case .peer:
            peerCount += 1
            return peersGreeting.add(
                number, from: address, limit: limits.peerGreeting, perAddress: limits.peerGreetingPerAddress)
        }
    }

    /// A connection has completed its greeting, on the peers' port with a proof.
    ///
    /// Addresses count from here on only when the table is nearly full, since a gateway may stand for a thousand workers.
    mutating func greet(_ number: UInt64, isIdle: (UInt64) -> Bool) -> Verdict {
        guard let entry = entries[number], !entry.hasGreeted else { return .welcome(shedding: nil) }
        guard entry.port == .client else {
            peersGreeting.remove(number)
            entries[number]?.hasGreeted = true
            return .welcome(shedding: nil)
        }
        let isFull = crowd.count >= limits.greeted
        var victim: UInt64?
        if crowd.count >= limits.greeted * 9 / 10, let largest = crowd.largest, largest.count > 1 {
            let entries = entries
            victim = crowd.oldest(
                of: largest.address, evenBusy: isFull, isOpen: { entries[$0] != nil }, isIdle: isIdle)
        }
        guard victim != nil || !isFull else { return .refused }
        clientsGreeting.remove(number)
        self.entries[number]?.hasGreeted = true
        let entries = self.entries
        crowd.add(number, from: entry.address) { entries[$0] != nil }
        return .welcome(shedding: victim)
    }

    mutating func close(_ number: UInt64) {
        guard let entry = entries.removeValue(forKey: number) else { return }
        if entry.port == .peer { peerCount -= 1 }
        if entry.hasGreeted, entry.port == .client { crowd.remove(from: entry.address) }
        if !entry.hasGreeted {
            switch entry.port {
            case .client: clientsGreeting.remove(number)
            case .peer: peersGreeting.remove(number)
            }
        }
    }
}
