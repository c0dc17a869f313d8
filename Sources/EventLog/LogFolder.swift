/// An open segment file.
struct SegmentFile {
    let number: UInt64
    let file: FileID
    /// In bytes.
    let size: UInt64

    var name: String { FileNames.segment(number) }
    /// Batches fill whole pages; a file that was cut short has a part of one at its end.
    var room: UInt64 { size - size % pageBytes }
}

/// A file of zeros, or of what a released segment held, that becomes the next segment; open.
struct SpareFile {
    var name: String
    let file: FileID
}

/// The log's files, by their names.
struct LogFolder {
    var hasSuperblock = false
    /// In growing order.
    var segments: [UInt64] = []
    /// In growing order.
    var patches: [UInt64] = []
    /// In order of name.
    var spares: [String] = []
    /// Files that were never finished.
    var leftovers: [String] = []

    init(on disk: any Disk) throws(DiskError) {
        for name in try disk.list().sorted() {
            if let number = FileNames.segmentNumber(name) {
                segments.append(number)
            } else if let number = FileNames.patchNumber(name) {
                patches.append(number)
            } else if FileNames.isSpare(name) {
                spares.append(name)
            } else if [
                FileNames.filling, FileNames.preparing, FileNames.newSuperblock, FileNames.newSnapshot, FileNames.fetchedSnapshot,
            ].contains(name) {
                leftovers.append(name)
            } else if name == FileNames.superblock {
                hasSuperblock = true
            }
        }
        segments.sort()
        patches.sort()
    }

    func openSegments(on disk: any Disk) throws(DiskError) -> [SegmentFile] {
        var files: [SegmentFile] = []
        for number in segments {
            let file = try disk.open(FileNames.segment(number), create: false)
            files.append(SegmentFile(number: number, file: file, size: try disk.size(file)))
        }
        return files
    }
}
