package import Consensus

extension EventLog {
    /// True when fewer spare segments are ready than should be. With none the next roll has to make one while writers wait.
    package var needsSpare: Bool { spares.count < options.readySpares }

    /// The entry before the first one held.
    package var base: EntrySummary { state.base }

    package var lastIndex: LogIndex { state.last.index }

    /// The last entry, its block missing or not.
    package var last: EntrySummary { state.last }

    package var hardState: HardState { state.hardState }

    /// Looks in the folder for spares that `SparePreparer` made. Throws `transient`, after which the log goes on as it was, and
    /// `disk`, after which it takes no more writes.
    package func adoptSpares() throws(EventLogError) {
        try refuseIfPoisoned()
        do {
            try findSpares()
        } catch {
            if error.reason != .transient { poison = error.description }
            throw EventLogError(error)
        }
    }

    /// Forgets whole segments, oldest first, that hold nothing above `index`. Their files become spares. Patches that hold
    /// nothing above the new first entry go too.
    ///
    /// Stops short of a segment whose last block is missing. Throws `disk`; then the log takes no more writes.
    package func release(through index: LogIndex) throws(EventLogError) {
        try refuseIfPoisoned()
        while segments.count > 1 {
            let last = state.lastIndex(upToSegment: segments[0].number)
            // A base is known by all that its header says.
            guard last <= index, let newBase = try? summary(of: last) else { break }
            try poisoning { () throws(DiskError) in try releaseFirstSegment(newBase) }
        }
        try poisoning { () throws(DiskError) in try releasePatches() }
    }

    /// The superblock says first that the segment may be gone: one that is gone without that was lost. One folder sync
    /// for each: were two renames lost in part, a hole would stay between the segments.
    private func releaseFirstSegment(_ newBase: EntrySummary) throws(DiskError) {
        let segment = segments.removeFirst()
        firstSegment = segments[0].number
        state.release(to: newBase)
        missing?.release(to: newBase)
        forgetHolesIfClosed()
        try storeSuperblock()
        let spare = FileNames.spare(segment.number)
        if spares.count < options.maxSpares, segment.size == options.segmentBytes, !hasSpare(spare) {
            try disk.rename(segment.name, to: spare)
            spares.append(SpareFile(name: spare, file: segment.file))
        } else {
            disk.close(segment.file)
            try disk.remove(segment.name)
        }
        try disk.syncFolder()
    }

    private func releasePatches() throws(DiskError) {
        let old = patches.filter { $0.lastIndex <= state.base.index }
        guard !old.isEmpty else { return }
        if let last = patches.last, last.lastIndex <= state.base.index { isPatchOpen = false }
        patches.removeAll { $0.lastIndex <= state.base.index }
        for patch in old {
            disk.close(patch.file)
            try disk.remove(patch.name)
        }
        try disk.syncFolder()
    }

    private func hasSpare(_ name: String) -> Bool { spares.contains { $0.name == name } }

    /// Opens the spares that it has not yet; those of another size, left from other options, are removed.
    func findSpares() throws(DiskError) {
        for name in try LogFolder(on: disk).spares where !hasSpare(name) {
            let file = try disk.open(name, create: false)
            do throws(DiskError) {
                if try disk.size(file) == options.segmentBytes {
                    spares.append(SpareFile(name: name, file: file))
                    continue
                }
                try disk.remove(name)
            } catch {
                disk.close(file)
                throw error
            }
            disk.close(file)
        }
        spares.sort { $0.name < $1.name }
    }

    func makeSpare() throws(DiskError) {
        var number = (segments.last?.number ?? firstSegment) + 1
        while hasSpare(FileNames.spare(number)) { number += 1 }
        let name = FileNames.spare(number)
        let file = try SparePreparer.fill(FileNames.filling, on: disk, bytes: options.segmentBytes)
        do throws(DiskError) {
            try disk.rename(FileNames.filling, to: name)
            try disk.syncFolder()
        } catch {
            disk.close(file)
            throw error
        }
        spares.append(SpareFile(name: name, file: file))
    }
}
