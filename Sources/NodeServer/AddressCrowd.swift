import DequeModule

/// Connections that have greeted, by the address that they come from: finds the address with the most, and of it the one that
/// has been idle the longest, at a cost that does not grow with their number.
struct AddressCrowd {
    private struct Group {
        var count = 0
        /// From the oldest to the newest; closed ones are still in it until they are met.
        var order: Deque<UInt64> = []
    }

    /// So many connections are looked at for an idle one.
    private static let looks = 64

    private var groups: [ConnectionAddress: Group] = [:]
    private var addressesByCount: [Int: Set<ConnectionAddress>] = [:]
    private var highest = 0
    private(set) var count = 0

    mutating func add(_ number: UInt64, from address: ConnectionAddress, isOpen: (UInt64) -> Bool) {
        var group = groups[address] ?? Group()
        group.count += 1
        group.order.append(number)
        if group.order.count > 2 * group.count + 16 { group.order.removeAll { !isOpen($0) } }
        move(address, from: group.count - 1, to: group.count)
        groups[address] = group
        count += 1
    }

    mutating func remove(from address: ConnectionAddress) {
        guard var group = groups[address] else { return }
        group.count -= 1
        move(address, from: group.count + 1, to: group.count)
        groups[address] = group.count > 0 ? group : nil
        count -= 1
    }

    private mutating func move(_ address: ConnectionAddress, from old: Int, to new: Int) {
        addressesByCount[old]?.remove(address)
        if addressesByCount[old]?.isEmpty == true { addressesByCount[old] = nil }
        if new > 0 { addressesByCount[new, default: []].insert(address) }
        if new > highest { highest = new } else if addressesByCount[highest] == nil { highest = new }
    }

    /// The address with the most connections, and how many.
    var largest: (address: ConnectionAddress, count: Int)? {
        addressesByCount[highest]?.first.map { ($0, highest) }
    }

    /// Of this address the one that came first among those that are idle, by a second chance for each that is not: those that
    /// are busy go to the end. When none of those looked at is idle, the next in turn where `evenBusy` is set.
    mutating func oldest(
        of address: ConnectionAddress, evenBusy: Bool, isOpen: (UInt64) -> Bool, isIdle: (UInt64) -> Bool
    ) -> UInt64? {
        guard var group = groups[address] else { return nil }
        defer { groups[address] = group }
        var looked = 0
        while let number = group.order.popFirst() {
            guard isOpen(number) else { continue }
            // It stays in the queue: that it is gone is noticed when it is met again.
            group.order.append(number)
            if isIdle(number) { return number }
            looked += 1
            guard looked < min(Self.looks, group.count) else { return evenBusy ? group.order.first { isOpen($0) } : nil }
        }
        return nil
    }
}
