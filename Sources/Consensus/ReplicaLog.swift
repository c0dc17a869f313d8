import DequeModule

/// The log as the replica sees it: a summary of every entry, and the bytes of the recent ones.
package struct ReplicaLog: Sendable {
    /// Entry i is at place i - 1.
    private var summaries: Deque<EntrySummary>
    /// The entries from `cacheStart` on, with bytes.
    private var cache: Deque<Entry>
    private var cachedBytes: Int

    /// `tail`: the last entries of the log with their bytes.
    package init(summaries: [EntrySummary] = [], tail: [Entry] = []) {
        self.summaries = Deque(summaries)
        self.cache = Deque(tail)
        cachedBytes = tail.reduce(0) { $0 + $1.block.count }
        if let last = tail.last {
            precondition(last.index == lastIndex && last.digest == lastDigest, "the tail must end where the log does")
        }
    }

    package var lastIndex: LogIndex { LogIndex(summaries.count) }
    package var lastTerm: Term { summaries.last?.term ?? 0 }
    package var lastDigest: Digest { summaries.last?.digest ?? .zero }
    package var lastTime: UInt64 { summaries.last?.time ?? 0 }
    /// The number that the next command will have.
    package var nextCommand: UInt64 { summaries.last?.nextCommand ?? 0 }
    /// The first index whose bytes are in memory; one past the end when none are.
    package var cacheStart: LogIndex { lastIndex + 1 - LogIndex(cache.count) }

    package func summary(at index: LogIndex) -> EntrySummary? {
        guard index >= 1, index <= lastIndex else { return nil }
        return summaries[Int(index - 1)]
    }

    /// The term of an entry; 0 before the first; nil past the end.
    package func term(at index: LogIndex) -> Term? {
        index == 0 ? 0 : summary(at: index)?.term
    }

    package func digest(at index: LogIndex) -> Digest? {
        index == 0 ? .zero : summary(at: index)?.digest
    }

    /// An entry whose bytes are in memory.
    package func entry(at index: LogIndex) -> Entry? {
        guard index >= cacheStart, index <= lastIndex else { return nil }
        return cache[Int(index - cacheStart)]
    }

    /// The first index that has the same term as the entry at `index`.
    func firstIndex(ofTermAt index: LogIndex) -> LogIndex {
        guard let term = term(at: index), index > 0 else { return index }
        // Terms never fall along the log, so the border can be found by halving.
        var (low, high) = (LogIndex(1), index)
        while low < high {
            let middle = low + (high - low) / 2
            if summaries[Int(middle - 1)].term < term { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The last index whose term is at most `term`.
    func lastIndex(ofTermAtMost term: Term) -> LogIndex {
        var (low, high) = (LogIndex(0), lastIndex)
        while low < high {
            let middle = low + (high - low + 1) / 2
            if summaries[Int(middle - 1)].term <= term { low = middle } else { high = middle - 1 }
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
        summaries.append(entry.summary)
        cache.append(entry)
        cachedBytes += entry.block.count
    }

    mutating func truncate(from index: LogIndex) {
        let gone = Int(lastIndex - index) + 1
        precondition(index >= 1 && gone > 0, "nothing to cut off at \(index)")
        for entry in cache.suffix(gone) { cachedBytes -= entry.block.count }
        cache.removeLast(min(gone, cache.count))
        summaries.removeLast(gone)
    }

    /// Lets go of bytes of entries up to `index` while more than `bytes` are held.
    mutating func evict(through index: LogIndex, keeping bytes: Int) {
        while cachedBytes > bytes, let first = cache.first, first.index <= index {
            cachedBytes -= first.block.count
            cache.removeFirst()
        }
    }
}
