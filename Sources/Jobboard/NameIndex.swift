/// The ready jobs of one board by name. A board has it from the first `claimNext` on that asks for a name; that it has one
/// is part of the replicated state, how far it is built is not.
///
/// It is built by walking the board's orders by priority and position, a slice at a time. What the walk has passed is in it
/// and kept up to date, as are the jobs that were posted since it began; the others are found when the walk gets there. So
/// the first entry of a name is the board's first job of that name, if the walk has passed it.
struct NameIndex: Sendable {
    /// A place in the order of claims.
    struct Place: Sendable, Comparable {
        var priority: Priority
        var position: UInt64

        static func < (left: Place, right: Place) -> Bool {
            (left.priority.rawValue, left.position) < (right.priority.rawValue, right.position)
        }
    }

    private(set) var names = NameMap()
    /// The last place that was passed; nil once all were.
    var walked: Place?
    /// Jobs with a later position are taken in as they come.
    let began: UInt64

    /// `began`: the last position so far.
    init(began: UInt64) {
        self.began = began
        walked = Place(priority: Priority.allCases[0], position: 0)
    }

    /// That of a board without jobs.
    static var complete: NameIndex {
        var index = NameIndex(began: 0)
        index.walked = nil
        return index
    }

    var isComplete: Bool { walked == nil }

    /// Whether the walk has passed a place.
    func hasPassed(_ priority: Priority, _ position: UInt64) -> Bool {
        guard let walked else { return true }
        return Place(priority: priority, position: position) <= walked
    }

    /// The first job of a name and priority in it.
    func first(_ name: String, _ priority: Priority) -> NamedEntry? { names[name]?.first(priority) }

    /// A job has become ready. Those that the walk will come to are left to it.
    mutating func insert(_ entry: NamedEntry, of name: String) {
        if entry.position > began || hasPassed(entry.priority, entry.position) { names.insert(entry, of: name) }
    }

    /// A job is ready no more.
    mutating func remove(_ entry: NamedEntry, of name: String) {
        if entry.position > began || hasPassed(entry.priority, entry.position) { names.remove(entry, of: name) }
    }

    /// The walk has come to a ready job.
    mutating func pass(_ entry: NamedEntry, of name: String) {
        walked = Place(priority: entry.priority, position: entry.position)
        names.insert(entry, of: name)
    }
}
