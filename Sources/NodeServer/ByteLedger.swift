/// How many bytes each connection holds of something of which all together may have so much.
struct ByteLedger {
    let limit: Int
    private(set) var total = 0
    private var held: [UInt64: Int] = [:]

    init(limit: Int) {
        self.limit = limit
    }

    /// Gives the connection that has to go when there are too many: the one that holds the most, as `weight` sees it; of
    /// equal ones the oldest.
    mutating func set(
        _ bytes: Int, of number: UInt64, weight: (_ number: UInt64, _ bytes: Int) -> Int = { $1 }
    ) -> UInt64? {
        let old = bytes > 0 ? held.updateValue(bytes, forKey: number) : held.removeValue(forKey: number)
        total += bytes - (old ?? 0)
        guard total > limit else { return nil }
        let heaviest = held.map { (weight: weight($0.key, $0.value), number: $0.key) }
            .max { ($0.weight, $1.number) < ($1.weight, $0.number) }
        return heaviest?.number
    }

    /// What the connection that holds the most does.
    var most: Int { held.values.max() ?? 0 }

    /// Connections that hold any.
    var holders: Dictionary<UInt64, Int>.Keys { held.keys }
}
