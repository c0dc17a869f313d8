/// Makes the next segment's file ahead of need, on any thread with a `Disk` of its own.
///
/// A file that is written and synced once is only ever overwritten afterwards: an append then changes no file
/// size, needs no space, and its sync writes data alone.
package enum SparePreparer {
    private static let pieceBytes = 1 << 20

    /// Zero-fills a spare and moves it into place, durably. Does nothing when so many made this way are there already.
    ///
    /// One at a time a folder. Tell the log afterwards with `EventLog.adoptSpares()`.
    package static func prepare(on disk: any Disk, segmentBytes: UInt64, atMost count: Int = 1) throws(DiskError) {
        let taken = try disk.list()
        // Numbers that no segment comes to, since a released one's file keeps its number.
        let names = (0..<count).map { FileNames.spare($0 == 0 ? 0 : UInt64(UInt32.max) - UInt64($0)) }
        guard let name = names.first(where: { !taken.contains($0) }) else { return }
        disk.close(try fill(FileNames.preparing, on: disk, bytes: segmentBytes))
        try disk.rename(FileNames.preparing, to: name)
        try disk.syncFolder()
    }

    /// Makes a file of zeros anew and syncs it. When that fails the file is removed, so that it takes no space.
    static func fill(_ name: String, on disk: any Disk, bytes: UInt64) throws(DiskError) -> FileID {
        if try disk.list().contains(name) { try disk.remove(name) }
        let file = try disk.open(name, create: true)
        do {
            let zeros = [UInt8](repeating: 0, count: Int(min(UInt64(pieceBytes), bytes)))
            var offset: UInt64 = 0
            while offset < bytes {
                let count = Int(min(UInt64(zeros.count), bytes - offset))
                try disk.write(file, at: offset, count == zeros.count ? zeros : Array(zeros[..<count]))
                offset += UInt64(count)
            }
            try disk.sync(file)
            return file
        } catch {
            disk.close(file)
            // The first failure is what the caller must hear of; a file that stays is removed at the next opening.
            try? disk.remove(name)
            throw error
        }
    }
}
