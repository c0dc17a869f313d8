/// The ready jobs of each name of one board.
///
/// Split into dictionaries of some hundred names each, so that growing, and the first change after a copy (a snapshot's
/// view), moves or copies one of them and not a million names. There is one more after every few new names (linear hashing);
/// an empty map is one empty dictionary. Nobody walks it for a choice: it is looked up by name alone.
struct NameMap: Sendable {
    private static let namesPerPart = 256

    private var parts: ContiguousArray<[String: NamedJobs]> = [[:]]
    /// Names.
    private(set) var count = 0

    subscript(name: String) -> NamedJobs? { parts[part(of: name)][name] }

    mutating func insert(_ entry: NamedEntry, of name: String) {
        let part = part(of: name)
        guard let place = parts[part].index(forKey: name) else {
            parts[part][name] = .one(entry)
            count += 1
            if count > parts.count * Self.namesPerPart { splitNext() }
            return
        }
        parts[part].values[place].insert(entry)
    }

    mutating func remove(_ entry: NamedEntry, of name: String) {
        let part = part(of: name)
        guard let place = parts[part].index(forKey: name) else { preconditionFailure("a ready job's name is not known") }
        guard !parts[part].values[place].remove(entry) else { return }
        parts[part].remove(at: place)
        count -= 1
        if parts[part].isEmpty { parts[part] = [:] }
    }

    func forEach(_ body: (String, NamedJobs) -> Void) {
        for part in parts { for (name, jobs) in part { body(name, jobs) } }
    }

    /// By the standard hash, which knows that texts may be equal with different bytes. It is another one in each process;
    /// nothing depends on the part.
    private func part(of name: String) -> Int {
        let hash = UInt(bitPattern: name.hashValue) >> 8
        // Parts below the one to be split next have been split in this round already, and need one bit more.
        let bits = UInt(parts.count).bitWidth - UInt(parts.count).leadingZeroBitCount - 1
        let whole = 1 << UInt(bits)
        let place = Int(hash & UInt(whole - 1))
        return place < parts.count - whole ? Int(hash & UInt(2 * whole - 1)) : place
    }

    /// One part becomes two.
    private mutating func splitNext() {
        let bits = UInt(parts.count).bitWidth - UInt(parts.count).leadingZeroBitCount - 1
        let source = parts.count - 1 << bits
        let names = parts[source]
        parts.append([:])
        let target = parts.count - 1
        var moved: [String: NamedJobs] = [:]
        var kept: [String: NamedJobs] = [:]
        for (name, jobs) in names {
            if part(of: name) == target { moved[name] = jobs } else { kept[name] = jobs }
        }
        parts[source] = kept
        parts[target] = moved
    }
}
