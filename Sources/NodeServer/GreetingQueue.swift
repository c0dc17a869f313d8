import DequeModule

/// Connections of one port that have not completed their greeting, in the order in which they came.
///
/// Past a limit the oldest goes. So a client that greets at once gets through a flood of connections that say nothing: it would
/// take as many newcomers as the limit in the moment between its arrival and its greeting to push it out.
struct GreetingQueue {
    private var order: Deque<(number: UInt64, address: ConnectionAddress)> = []
    private var perAddress: [ConnectionAddress: Int] = [:]

    var count: Int { order.count }

    /// Adds the newest; gives the one that has to go, which is out of the queue then.
    mutating func add(_ number: UInt64, from address: ConnectionAddress, limit: Int, perAddress limitPerAddress: Int) -> UInt64? {
        let ofAddress = perAddress[address, default: 0]
        var victim: UInt64?
        if ofAddress >= limitPerAddress {
            victim = order.first { $0.address == address }?.number
        } else if order.count >= limit {
            victim = order.first?.number
        }
        if let victim { remove(victim) }
        order.append((number, address))
        perAddress[address, default: 0] += 1
        return victim
    }

    /// False when it is not there.
    @discardableResult
    mutating func remove(_ number: UInt64) -> Bool {
        guard let place = order.firstIndex(where: { $0.number == number }) else { return false }
        let address = order.remove(at: place).address
        let left = perAddress[address, default: 0] - 1
        perAddress[address] = left > 0 ? left : nil
        return true
    }
}
