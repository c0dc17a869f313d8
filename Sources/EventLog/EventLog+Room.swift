package import Consensus

/// What is known of the space on the log's disk.
struct LogSpace {
    /// When last looked at, there was too little for another spare.
    var isTight = false
    /// The last spare that was begun found no space, whatever the disk says of itself.
    var spareFailed = false
    /// A write waits for a segment that can't be made.
    var isBlocked = false
    /// The newest snapshot's file and its size: the next one will be much like it.
    var snapshot: (name: String, bytes: UInt64)?
}

/// The log does not run into a full disk unawares. Spare segments are made ahead; while the disk lacks the space for new
/// ones, those that are ready are a reserve, and `room` says how much of it is left. A write that finds no segment is refused
/// whole and can be tried again.
extension EventLog {
    /// What the log can still take.
    package var room: Room {
        let lacksSpace = space.isTight || space.spareFailed
        guard needsSpare else { return lacksSpace ? .low : .ample }
        guard lacksSpace || space.isBlocked else { return .ample }
        guard spares.isEmpty else { return .reserve }
        let left = segments[segments.count - 1].room - tail
        return space.isBlocked || left < options.segmentBytes / 4 ? .none : .reserve
    }

    /// Looks how much space the disk has. True when a spare should be made now, which `spareEnded` is to follow.
    ///
    /// A spare leaves room for the next snapshot: that is what lets the log be shortened. A disk that can't be asked
    /// changes nothing.
    package func wantsSpare() -> Bool {
        guard let free = try? disk.freeSpace() else { return needsSpare }
        space.isTight = free < options.segmentBytes + nextSnapshotBytes
        return needsSpare && !space.isTight
    }

    /// A spare was made, or could not be: for want of space or something else. Throws as `adoptSpares` does.
    package func spareEnded(_ failure: DiskError.Reason?) throws(EventLogError) {
        if failure != .transient { space.spareFailed = failure == .noSpace }
        try adoptSpares()
    }

    /// Does the writes that there is room for, in order, and gives how many; `append` has the rest to say.
    ///
    /// Those that come behind one for which there is no room wait with it. Throws `transient` when the first can't be done for want
    /// of descriptors or memory; all can be tried again.
    package func appendFitting(_ writes: [LogWrite]) throws(EventLogError) -> Int {
        space.isBlocked = false
        do throws(EventLogError) {
            if try appendIfFits(writes) { return writes.count }
        } catch {
            // Nothing of it was done; what fits into the last segment needs no other file.
            guard error.code == .transient, writes.count > 1 else { throw error }
        }
        var done = 0
        do throws(EventLogError) {
            while done < writes.count, try appendIfFits([writes[done]]) { done += 1 }
        } catch {
            // Those that are done must not be done again.
            guard error.code == .transient, done > 0 else { throw error }
            return done
        }
        space.isBlocked = done < writes.count
        return done
    }

    private func appendIfFits(_ writes: [LogWrite]) throws(EventLogError) -> Bool {
        do {
            try append(writes)
            return true
        } catch {
            guard onlyLacksRoom(error) else { throw error }
            return false
        }
    }

    /// Makes sure of all segments that the frames will take while nothing has been written: so a full disk refuses a batch
    /// but does not poison the log.
    func makeRoom(for frames: [UInt64]) throws(EventLogError) {
        let needed = segmentsNeeded(for: frames)
        guard spares.count < needed else { return }
        do throws(DiskError) {
            try findSpares()
            while spares.count < needed {
                // Filling what is left, only to find that it is too little, would take it from everybody else.
                guard try disk.freeSpace() >= options.segmentBytes else {
                    throw DiskError(.noSpace, "no space is left for another segment of the log")
                }
                try makeSpare()
            }
        } catch {
            throw EventLogError(error)
        }
    }

    /// How often frames of these sizes will make the log go on in a new segment.
    private func segmentsNeeded(for frames: [UInt64]) -> Int {
        var (used, room, segments) = (tail, segments[segments.count - 1].room, 0)
        for frame in frames {
            if used + frame > room {
                segments += 1
                (used, room) = (UInt64(FramePrefix.byteCount + SegmentStart.byteCount), options.segmentBytes)
            }
            used += frame
        }
        return segments
    }

    /// What the next snapshot will take: a quarter more than the last one.
    private var nextSnapshotBytes: UInt64 {
        let newest = ((try? disk.list()) ?? []).compactMap(FileNames.snapshotIndex).max().map(FileNames.snapshot)
        guard let newest else { return 0 }
        if space.snapshot?.name != newest, let file = try? disk.open(newest, create: false) {
            if let bytes = try? disk.size(file) { space.snapshot = (newest, bytes) }
            disk.close(file)
        }
        let bytes = space.snapshot?.bytes ?? 0
        return bytes + bytes / 4
    }
}
