/// From a job's identity to its slot. Split into 2,048 dictionaries by bits of the identity, so that the first write after
/// a copy (a snapshot's view) copies one part and not all, and so that growing rehashes one part at a time.
struct SplitMap: Sendable {
    private var parts: [[JobID: Int32]] = Array(repeating: [:], count: 2048)
    private(set) var count = 0

    /// Setting a value for a new identity adds it; setting nil removes it.
    subscript(id: JobID) -> Int32? {
        get { parts[part(id)][id] }
        set {
            let old: Int32?
            if let newValue {
                old = parts[part(id)].updateValue(newValue, forKey: id)
            } else {
                old = parts[part(id)].removeValue(forKey: id)
            }
            count += (newValue == nil ? 0 : 1) - (old == nil ? 0 : 1)
        }
    }

    /// The last bits are random in every common version of a UUID; folding in other ones helps with counted ones.
    private func part(_ id: JobID) -> Int {
        Int(truncatingIfNeeded: (id.low ^ id.low >> 11) & 0x7ff)
    }
}
