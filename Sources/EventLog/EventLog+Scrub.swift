package import Consensus

/// What a step of the scrubber has found.
package struct ScrubReport: Sendable, Equatable {
    /// Blocks read, and their bytes.
    package var blocks = 0
    package var bytes = 0
    /// The last entry that was looked at; 0 when there was none.
    package var through: LogIndex = 0
    /// The end of the log was reached: the next step begins at its first entry again.
    package var isRoundDone = false
    /// Blocks that have rotted: they are missing from now on, see `EventLog.missing`.
    package var lost: [MissingBlock] = []
}

extension EventLog {
    /// Reads the next blocks again, from the disk and not from memory, `maxBytes` of them or a little more, and verifies
    /// them. So rot is found while a good copy is left elsewhere.
    ///
    /// What can't be read or is not what was written becomes a hole, to be closed by `repair`. Throws `disk` when something
    /// that was written earlier turns out to be lost; then the log takes no more writes.
    package func scrub(maxBytes: Int) throws(EventLogError) -> ScrubReport {
        var report = ScrubReport()
        try refuseIfPoisoned()
        var source: (number: UInt32, isPatch: Bool, file: FileID)?
        nextScrubbed = max(nextScrubbed, state.base.index + 1)
        while report.bytes < maxBytes, nextScrubbed <= state.last.index {
            let index = nextScrubbed
            nextScrubbed += 1
            report.through = index
            guard let slot = state.slot(of: index), let digest = slot.digest, let location = slot.location else { continue }
            if source?.number != location.segment || source?.isPatch != location.isPatch {
                source = (location.segment, location.isPatch, try refresh(location))
            }
            guard let file = source?.file else { continue }
            report.blocks += 1
            report.bytes += Int(location.length)
            if !isWhole(digest, location, in: file) {
                lose(index)
                report.lost.append(MissingBlock(index: index, digest: digest))
            }
        }
        if nextScrubbed > state.last.index {
            report.isRoundDone = true
            nextScrubbed = 0
        }
        return report
    }

    /// The file, from which is read what the disk has.
    ///
    /// That takes a sync of the handle that the log writes by, and when it fails, it is the failed sync of a write.
    private func refresh(_ location: BlockLocation) throws(EventLogError) -> FileID {
        do {
            let file = try files.source(of: location).file
            try disk.refresh(file)
            return file
        } catch {
            poison = error.description
            throw EventLogError(error)
        }
    }

    private func isWhole(_ digest: Digest, _ location: BlockLocation, in file: FileID) -> Bool {
        guard let bytes = try? disk.read(file, at: UInt64(location.offset), count: Int(location.length)) else { return false }
        return bytes.withUnsafeBytes { bytes in
            guard case .success(let (_, found)) = BlockCodec.verify(bytes, cluster: cluster) else { return false }
            return found == digest
        }
    }
}
