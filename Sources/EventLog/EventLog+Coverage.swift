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

    /// The file that says whose folder this is and up to where the log is known to be durable; two copies.
    package static var superblockBytes: (file: String, bytes: Range<UInt64>) {
        (FileNames.superblock, 0..<UInt64(Superblock.fileBytes))
    }
}
