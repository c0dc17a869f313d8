package import Consensus

extension EventLog {
    /// Where the log's frames lie that something written later knows to be durable, in order. Damage there is told from a
    /// torn tail.
    ///
    /// All but the last batch; that one too once the superblock knows of it (`markDurable`).
    package var covered: [(file: String, bytes: Range<UInt64>)] {
        segments.enumerated().map { place, segment in
            let isLast = place == segments.count - 1
            let end = isLast ? (superblock.durable == durable ? tail : lastBatch) : segment.size
            return (segment.name, 0..<end)
        }
    }

    /// Where the block of this entry lies, when the log has it whole.
    package func placeOfBlock(_ index: LogIndex) -> (file: String, start: UInt64, count: Int)? {
        guard let location = state.location(of: index), let source = try? files.source(of: location), !location.isPatch else {
            return nil
        }
        return (source.name, UInt64(location.offset), Int(location.length))
    }

    /// The file that says whose folder this is and up to where the log is known to be durable; two copies.
    package static var superblockBytes: (file: String, bytes: Range<UInt64>) {
        (FileNames.superblock, 0..<UInt64(Superblock.fileBytes))
    }
}
