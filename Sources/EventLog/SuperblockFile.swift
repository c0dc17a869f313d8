/// The file with the two copies of the superblock.
struct SuperblockFile {
    /// The copy that counts; nil when none is whole.
    var newest: Superblock?
    /// Both copies are whole, so none that was newer can be lost.
    var isCertain = false
    /// What this version does not know in a copy, in words.
    var newer: String?

    init(on disk: any Disk) throws(DiskError) {
        let file = try disk.open(FileNames.superblock, create: false)
        defer { disk.close(file) }
        self.init(try disk.read(file, at: 0, count: Superblock.fileBytes))
    }

    /// Total on garbage.
    init(_ bytes: [UInt8]) {
        var copies: [Superblock] = []
        bytes.withUnsafeBytes { bytes in
            for start in [0, Superblock.slotBytes] where start + Superblock.slotBytes <= bytes.count {
                switch Superblock.read(slot: bytes.part(start..<start + Superblock.slotBytes)) {
                case .whole(let copy): copies.append(copy)
                case .newer(let what): newer = what
                case .damaged: break
                }
            }
        }
        newest = copies.max { $0.sequence < $1.sequence }
        isCertain = copies.count == 2
    }
}

extension Superblock {
    /// Writes it over the older copy and returns when it is durable.
    func store(in file: FileID, on disk: any Disk) throws(DiskError) {
        try disk.write(file, at: UInt64(slot * Self.slotBytes), encoded())
        try disk.sync(file)
    }

    /// Makes the file, in place of one that holds nothing; its name appears when its bytes are durable.
    func create(on disk: any Disk) throws(DiskError) {
        if try disk.list().contains(FileNames.newSuperblock) { try disk.remove(FileNames.newSuperblock) }
        let file = try disk.open(FileNames.newSuperblock, create: true)
        defer { disk.close(file) }
        var bytes = [UInt8](repeating: 0, count: Self.fileBytes)
        bytes.replaceSubrange(slot * Self.slotBytes..<(slot + 1) * Self.slotBytes, with: encoded())
        try disk.write(file, at: 0, bytes)
        try disk.sync(file)
        try disk.rename(FileNames.newSuperblock, to: FileNames.superblock)
        try disk.syncFolder()
    }
}

extension Disk {
    func write(_ file: FileID, at offset: UInt64, _ bytes: [UInt8]) throws(DiskError) {
        let outcome = bytes.withUnsafeBytes { buffer in
            Result { () throws(DiskError) in try write(file, at: offset, buffer) }
        }
        try outcome.get()
    }
}
