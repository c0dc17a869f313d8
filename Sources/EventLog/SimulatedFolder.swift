/// The names in a `SimulatedDisk`: as they are seen, and as they would be without power.
struct SimulatedFolder {
    private enum Change {
        case name(String, file: Int)
        case remove(String, file: Int)
    }

    private(set) var seen: [String: Int] = [:]
    private var durable: [String: Int] = [:]
    private var changes: [Change] = []

    mutating func create(_ name: String, _ file: Int) {
        seen[name] = file
        changes.append(.name(name, file: file))
    }

    mutating func rename(_ name: String, to newName: String) {
        guard let file = seen.removeValue(forKey: name) else { return }
        seen[newName] = file
        changes.append(.name(newName, file: file))
    }

    mutating func remove(_ name: String) {
        guard let file = seen.removeValue(forKey: name) else { return }
        changes.append(.remove(name, file: file))
    }

    mutating func sync() {
        durable = seen
        changes.removeAll()
    }

    /// Each change since the last sync is done or not, as the caller decides.
    mutating func crash(deciding decide: (Unsynced) -> Fate) {
        changes.removeAll { _ in decide(.name) == .old }
        sync(changes)
    }

    /// Each change since the last sync is done or not, by chance; a file keeps one name at most.
    /// Returns how many were not.
    mutating func crash(using generator: inout some RandomNumberGenerator) -> Int {
        let done = changes.filter { _ in generator.next() & 1 == 0 }
        let lost = changes.count - done.count
        sync(done)
        return lost
    }

    private mutating func sync(_ done: [Change]) {
        for change in done {
            switch change {
            case .name(let name, let file):
                for old in durable.keys.sorted() where durable[old] == file { durable[old] = nil }
                durable[name] = file
            case .remove(let name, let file):
                if durable[name] == file { durable[name] = nil }
            }
        }
        seen = durable
        changes.removeAll()
    }
}
