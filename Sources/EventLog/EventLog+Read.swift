package import Consensus

extension EventLog {
    /// The entries from `index` to `last`: at least one, and no more than fit in `maxBytes` of blocks.
    ///
    /// Empty when the log ends before `index`; ends before a missing block. Every block is verified again. Throws `notInLog`
    /// for an entry that was released, `missing` when the first block is, `damaged` for one that is no longer what was
    /// written.
    package func read(from index: LogIndex, through last: LogIndex, maxBytes: Int) throws(EventLogError) -> [Entry] {
        guard index > state.base.index else {
            throw EventLogError(.notInLog, "entry \(index) was released; the log begins at \(state.base.index + 1)")
        }
        guard missing?.isMissing(index) != true || reclaim(index) else {
            throw EventLogError(.missing, "entry \(index) is missing: its block can't be read")
        }
        let reader = EntryReader(disk: disk, files: files, cluster: cluster)
        return try reader.read(state, from: index, through: last, maxBytes: maxBytes)
    }

    var files: LogFiles { LogFiles(segments: segments, patches: patches) }
}

/// The files that hold blocks.
struct LogFiles {
    let segments: [SegmentFile]
    let patches: [PatchFile]

    func source(of location: BlockLocation) throws(DiskError) -> (file: FileID, name: String) {
        let number = UInt64(location.segment)
        if location.isPatch {
            guard let patch = patches.first(where: { $0.number == number }) else {
                throw DiskError(.notFound, "\(FileNames.patch(number)) is not open")
            }
            return (patch.file, patch.name)
        }
        // Segments are numbered in a row, unless some were lost.
        let place = Int(number) - Int(segments.first?.number ?? 0)
        if segments.indices.contains(place), segments[place].number == number {
            return (segments[place].file, segments[place].name)
        }
        guard let segment = segments.first(where: { $0.number == number }) else {
            throw DiskError(.notFound, "\(FileNames.segment(number)) is not open")
        }
        return (segment.file, segment.name)
    }
}

/// Reads entries at known places, neighbours with one call.
struct EntryReader {
    private static let runBytes: UInt64 = 1 << 20

    let disk: any Disk
    let files: LogFiles
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
            try read(run, of: state, from: next, into: &entries)
            next += UInt64(run.count)
            left -= run.reduce(0) { $0 + Int($1.length) }
        }
        return entries
    }

    /// The next blocks of one file that fit in what is left and in one call, in the order in which they lie there: in a patch
    /// they need not lie in the order of the log. The first always fits when `forced`.
    private func run(
        _ state: LogState, from index: LogIndex, through last: LogIndex, maxBytes: Int, forced: Bool
    ) -> [BlockLocation]? {
        var run: [BlockLocation] = []
        var left = maxBytes
        var next = index
        while next <= last, let location = state.location(of: next) {
            if let first = run.first, let before = run.last {
                guard location.segment == first.segment, location.isPatch == first.isPatch else { break }
                guard Int(location.length) <= left, location.offset > before.offset else { break }
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

    private func read(
        _ run: [BlockLocation], of state: LogState, from index: LogIndex, into entries: inout [Entry]
    ) throws(EventLogError) {
        let start = UInt64(run[0].offset)
        let end = UInt64(run[run.count - 1].offset) + UInt64(run[run.count - 1].length)
        let bytes: [UInt8]
        let name: String
        do {
            let source = try files.source(of: run[0])
            name = source.name
            bytes = try disk.read(source.file, at: start, count: Int(end - start))
        } catch {
            throw EventLogError(error)
        }
        for (place, location) in run.enumerated() {
            let offset = Int(UInt64(location.offset) - start)
            let range = offset..<offset + Int(location.length)
            let expected = index + UInt64(place)
            guard range.upperBound <= bytes.count else { throw damaged(name, location, expected, "the file is too short") }
            do throws(BlockError) {
                let entry = try parse(bytes, range)
                guard entry.index == expected, entry.digest == state.slot(of: expected)?.digest else { throw .otherEntry }
                entries.append(entry)
            } catch {
                throw damaged(name, location, expected, error.description)
            }
        }
    }

    private func parse(_ bytes: [UInt8], _ range: Range<Int>) throws(BlockError) -> Entry {
        let parsed = bytes.withUnsafeBytes { buffer in
            Result { () throws(BlockError) in try BlockCodec.parse(buffer.part(range), cluster: cluster) }
        }
        return try parsed.get()
    }

    private func damaged(_ file: String, _ location: BlockLocation, _ index: LogIndex, _ why: String) -> EventLogError {
        EventLogError(.damaged, "\(file): entry \(index) at offset \(location.offset) is damaged: \(why)")
    }
}
