/// The watches of a client that are open, so that shutting it down can end them; and whether that has happened.
struct WatchRegister: Sendable {
    private var stops: [UInt64: @Sendable () -> Void] = [:]
    private var ended: Set<UInt64> = []
    private var lastName: UInt64 = 0
    private(set) var closed = false

    mutating func newName() -> UInt64 {
        lastName += 1
        return lastName
    }

    /// Remembers how to stop a watch, unless it has ended meanwhile. True when the client is closed and the watch must stop now.
    mutating func began(_ name: UInt64, stop: @escaping @Sendable () -> Void) -> Bool {
        if ended.remove(name) == nil, !closed { stops[name] = stop }
        return closed
    }

    mutating func ended(_ name: UInt64) {
        // A watch may end before `began` was called for it.
        if stops.removeValue(forKey: name) == nil, !closed { ended.insert(name) }
    }

    /// No more watches. Returns how to stop the open ones.
    mutating func close() -> [@Sendable () -> Void] {
        closed = true
        defer { stops.removeAll() }
        return stops.sorted { $0.key < $1.key }.map(\.value)
    }
}
