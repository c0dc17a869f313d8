import EventLog

extension FuzzTarget {
    private static let segmentBytes = 8 << 10

    /// Segment files of 8 KiB, one behind the other, the last one filled up with zeros.
    static let segments = FuzzTarget("segments", maximumBytes: 4 * segmentBytes) { bytes in
        for superblock in [LogFolderMaker.superblock, LogFolderMaker.sampleSuperblock, noSuperblock] {
            LogRecovery.check(LogFolderMaker.folder(superblock: superblock, segments: bytes))
        }
    }

    /// Behind the checksums of frames and the digests of blocks; references from one to the next are kept right.
    static let segmentsSealed = FuzzTarget("segments-sealed", maximumBytes: 4 * segmentBytes) { bytes in
        var sealer = SegmentSealer(bytes, segmentBytes: segmentBytes)
        let segments = sealer.sealed()
        for superblock in [LogFolderMaker.superblock, sealer.sealed(superblock: LogFolderMaker.sampleSuperblock), noSuperblock] {
            LogRecovery.check(LogFolderMaker.folder(superblock: superblock, segments: segments))
        }
    }

    /// A folder whose superblock has rotted: it is made anew from whole segments.
    private static let noSuperblock = [UInt8](repeating: 7, count: 2 * 4096)

    /// The file as it is, beside a log of a few entries.
    static let superblock = FuzzTarget("superblock", maximumBytes: segmentBytes) { bytes in
        LogRecovery.check(LogFolderMaker.folder(superblock: bytes, segments: LogFolderMaker.sampleSegments))
    }

    /// Each half of the input begins one copy, which gets its digest.
    static let superblockSealed = FuzzTarget("superblock-sealed", maximumBytes: 1200) { bytes in
        let half = bytes.count / 2
        let file = LogFolderMaker.slot(bytes[..<half]) + LogFolderMaker.slot(bytes[half...])
        LogRecovery.check(LogFolderMaker.folder(superblock: file, segments: LogFolderMaker.sampleSegments))
    }

    /// A file of fetched blocks, which get their digests, beside a log whose first blocks have rotted.
    static let patches = FuzzTarget("patches", maximumBytes: 3 * 4096) { bytes in
        var patch = bytes
        for start in stride(from: 4096, to: patch.count, by: 4096) where start + BlockCodec.headerBytes <= patch.count {
            let stored = Int(patch.number32(at: start + 56))
            sealBlock(&patch, in: start..<min(patch.count, start + BlockCodec.headerBytes + stored))
        }
        LogRecovery.check(LogFolderMaker.folderWithHoles(patch: patch))
    }
}
