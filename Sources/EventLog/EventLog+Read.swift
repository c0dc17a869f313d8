package import Consensus

extension EventLog {
    /// The entries from `index` to `last`: at least one, and no more than fit in `maxBytes` of blocks.
    ///
    /// Empty when the log ends before `index`. Every block is verified again. Throws `notInLog` for an entry that was
    /// released, `damaged` for one that is no longer what was written.
    package func read(from index: LogIndex, through last: LogIndex, maxBytes: Int) throws(EventLogError) -> [Entry] {
        guard index > state.base.index else {
            throw EventLogError(.notInLog, "entry \(index) was released; the log begins at \(state.base.index + 1)")
        }
        let reader = EntryReader(disk: disk, segments: segments, cluster: cluster)
        return try reader.read(state, from: index, through: last, maxBytes: maxBytes)
    }
}

/// Reads entries at known places, neighbours with one call.
struct EntryReader {
    private static let runBytes: UInt64 = 1 << 20

    let disk: any Disk
    let segments: [SegmentFile]
    let cluster: UInt64

    func read(
        _ state: LogState, from index: LogIndex, through last: LogIndex, maxBytes: Int
    ) throws(EventLogError) -> [Entry] {
        var entries: [Entry] = []
        var left = maxBytes
        var next = index
        while next <= min(last, state.last.index),
            let run = run(state, from: next, through: last, maxBytes: left, forced: entries.isEmpty)
        {
            try read(run, from: next, into: &entries)
            next += UInt64(run.count)
            left -= run.reduce(0) { $0 + Int($1.length) }
        }
        return entries
    }

    /// The next blocks of one segment that fit in what is left and in one call; the first always does when `forced`.
    private func run(
        _ state: LogState, from index: LogIndex, through last: LogIndex, maxBytes: Int, forced: Bool
    ) -> [BlockLocation]? {
        var run: [BlockLocation] = []
        var left = maxBytes
        var next = index
        while next <= last, let location = state.location(of: next) {
            if let first = run.first {
                guard location.segment == first.segment, Int(location.length) <= left else { break }
                guard UInt64(location.offset) + UInt64(location.length) - UInt64(first.offset) <= Self.runBytes else { break }
            } else {
                guard forced || Int(location.length) <= left else { break }
            }
            run.append(location)
            left -= Int(location.length)
            next += 1
        }
        return run.isEmpty ? nil : run
    }

    private func read(_ run: [BlockLocation], from index: LogIndex, into entries: inout [Entry]) throws(EventLogError) {
        let segment = segments[Int(UInt64(run[0].segment) - segments[0].number)]
        let start = UInt64(run[0].offset)
        let end = UInt64(run[run.count - 1].offset) + UInt64(run[run.count - 1].length)
        let bytes: [UInt8]
        do {
            bytes = try disk.read(segment.file, at: start, count: Int(end - start))
        } catch {
            throw EventLogError(error)
        }
        for (place, location) in run.enumerated() {
            let offset = Int(UInt64(location.offset) - start)
            let range = offset..<offset + Int(location.length)
            let expected = index + UInt64(place)
            guard range.upperBound <= bytes.count else { throw damaged(segment, location, expected, "the file is too short") }
            do throws(BlockError) {
                let entry = try parse(bytes, range)
                guard entry.index == expected else { throw .field("index") }
                entries.append(entry)
            } catch {
                throw damaged(segment, location, expected, error.description)
            }
        }
    }

    private func parse(_ bytes: [UInt8], _ range: Range<Int>) throws(BlockError) -> Entry {
        let parsed = bytes.withUnsafeBytes { buffer in
            Result { () throws(BlockError) in try BlockCodec.parse(buffer.part(range), cluster: cluster) }
        }
        return try parsed.get()
    }

    private func damaged(_ segment: SegmentFile, _ location: BlockLocation, _ index: LogIndex, _ why: String) -> EventLogError {
        EventLogError(.damaged, "\(segment.name): entry \(index) at offset \(location.offset) is damaged: \(why)")
    }
}
