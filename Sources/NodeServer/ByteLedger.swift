/// How many bytes each connection holds of something of which all together may have so much.
struct ByteLedger {
    let limit: Int
    private(set) var total = 0
    private var held: [UInt64: Int] = [:]

    init(limit: Int) {
        self.limit = limit
    }

    /// Gives the connection that has to go when there are too many: the one that holds the most.
    mutating func set(_ bytes: Int, of number: UInt64) -> UInt64? {
        let old = bytes > 0 ? held.updateValue(bytes, forKey: number) : held.removeValue(forKey: number)
        total += bytes - (old ?? 0)
        guard total > limit else { return nil }
        return held.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    /// What the connection that holds the most does.
    var most: Int { held.values.max() ?? 0 }

    /// Connections that hold any.
    var holders: Dictionary<UInt64, Int>.Keys { held.keys }
}
