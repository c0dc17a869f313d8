import DequeModule

/// The log as the replica sees it: a summary of every entry that it holds, and the bytes of the recent ones.
///
/// What lies before the first entry held stands in a snapshot; of it, the last entry's summary is left (`base`).
package struct ReplicaLog: Sendable {
    /// The entry before the first one held.
    package private(set) var base: EntrySummary
    /// Entry i is at place i - base.index - 1.
    private var held: Deque<EntrySummary>
    /// The entries from `cacheStart` on, with bytes.
    private var cache: Deque<Entry>
    private var cachedBytes: Int

    /// `summaries`: of the entries after `base`; `tail`: the last entries of the log with their bytes.
    package init(base: EntrySummary = .beforeFirst, summaries: [EntrySummary] = [], tail: [Entry] = []) {
        self.base = base
        held = Deque(summaries)
        self.cache = Deque(tail)
        cachedBytes = tail.reduce(0) { $0 + $1.block.count }
        if let last = tail.last {
            precondition(last.index == lastIndex && last.digest == lastDigest, "the tail must end where the log does")
        }
    }

    /// Of the entries held, in order; takes time with their number.
    package var summaries: [EntrySummary] { Array(held) }

    package var lastIndex: LogIndex { base.index + LogIndex(held.count) }
    package var last: EntrySummary { held.last ?? base }
    package var lastTerm: Term { last.term }
    package var lastDigest: Digest { last.digest }
    package var lastTime: UInt64 { last.time }
    /// The number that the next command will have.
    package var nextCommand: UInt64 { last.nextCommand }
    /// The first index whose bytes are in memory; one past the end when none are.
    package var cacheStart: LogIndex { lastIndex + 1 - LogIndex(cache.count) }

    /// Of an entry held, or of the one before them.
    package func summary(at index: LogIndex) -> EntrySummary? {
        guard index >= base.index, index <= lastIndex else { return nil }
        return index == base.index ? base : held[place(of: index)]
    }

    private func place(of index: LogIndex) -> Int { Int(index - base.index) - 1 }

    /// The term of an entry; 0 before the very first; nil past the end and before the base.
    package func term(at index: LogIndex) -> Term? { summary(at: index)?.term }

    package func digest(at index: LogIndex) -> Digest? { summary(at: index)?.digest }

    /// An entry whose bytes are in memory.
    package func entry(at index: LogIndex) -> Entry? {
        guard index >= cacheStart, index <= lastIndex else { return nil }
        return cache[Int(index - cacheStart)]
    }

    /// The first index held that has the same term as the entry at `index`.
    func firstIndex(ofTermAt index: LogIndex) -> LogIndex {
        guard let term = term(at: index), index > base.index else { return index }
        // Terms never fall along the log, so the border can be found by halving.
        var (low, high) = (base.index + 1, index)
        while low < high {
            let middle = low + (high - low) / 2
            if held[place(of: middle)].term < term { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The last index held whose term is at most `term`; the base's when there is none.
    func lastIndex(ofTermAtMost term: Term) -> LogIndex {
        var (low, high) = (base.index, lastIndex)
        while low < high {
            let middle = low + (high - low + 1) / 2
            if held[place(of: middle)].term <= term { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// Entries from `index` on whose bytes are in memory: as many as fit, at least one; nil when the first is not there.
    func entries(from index: LogIndex, maxBytes: Int) -> [Entry]? {
        guard index >= cacheStart, index <= lastIndex else { return nil }
        var chosen: [Entry] = []
        var bytes = 0
        for place in Int(index - cacheStart)..<cache.count {
            bytes += cache[place].block.count
            if !chosen.isEmpty && bytes > maxBytes { break }
            chosen.append(cache[place])
        }
        return chosen
    }

    mutating func append(_ entry: Entry) {
        precondition(entry.index == lastIndex + 1, "entry \(entry.index) can't follow \(lastIndex)")
        precondition(entry.parent == lastDigest, "entry \(entry.index) does not continue this history")
        precondition(entry.term >= lastTerm, "term \(entry.term) after \(lastTerm)")
        held.append(entry.summary)
        cache.append(entry)
        cachedBytes += entry.block.count
    }

    mutating func truncate(from index: LogIndex) {
        let gone = Int(lastIndex - index) + 1
        precondition(index > base.index && gone > 0, "nothing to cut off at \(index)")
        for entry in cache.suffix(gone) { cachedBytes -= entry.block.count }
        cache.removeLast(min(gone, cache.count))
        held.removeLast(gone)
    }

    /// Forgets the entries up to `index`, which a snapshot holds.
    mutating func compact(through index: LogIndex) {
        precondition(index <= lastIndex, "compaction through \(index) past the end \(lastIndex)")
        guard index > base.index else { return }
        while let first = cache.first, first.index <= index {
            cachedBytes -= first.block.count
            cache.removeFirst()
        }
        let newBase = held[place(of: index)]
        held.removeFirst(Int(index - base.index))
        base = newBase
    }

    /// Begins anew behind an entry whose state came as a snapshot.
    mutating func reset(to newBase: EntrySummary) {
        held.removeAll()
        cache.removeAll()
        cachedBytes = 0
        base = newBase
    }

    /// Lets go of bytes of entries up to `index` while more than `bytes` are held.
    mutating func evict(through index: LogIndex, keeping bytes: Int) {
        while cachedBytes > bytes, let first = cache.first, first.index <= index {
            cachedBytes -= first.block.count
            cache.removeFirst()
        }
    }
}
