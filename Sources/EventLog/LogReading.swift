import Consensus

/// Everything in a data folder, read without changing it.
struct LogReading {
    var identity: LogIdentity
    /// The number by which blocks name the cluster.
    var cluster: UInt64
    var superblock: SuperblockFile
    /// Those that count, and those that were released but still have their names.
    var segments: [SegmentFile]
    var released: [SegmentFile]
    var patches: [PatchFile]
    var scan: LogScan
    /// Of the patches' blocks, with those of the log.
    var patchedBlocks: Int
    private let disk: any Disk

    /// `identity`: whose folder it should be; nil to take whoever it is.
    ///
    /// Throws `wrongIdentity`; `damaged` when neither the superblock nor the segments tell enough.
    static func read(on disk: any Disk, identity: LogIdentity?) throws(EventLogError) -> LogReading {
        do {
            // The superblock first: a segment that it names is there, even when a node goes on writing.
            var folder = try LogFolder(on: disk)
            let superblock = folder.hasSuperblock ? try SuperblockFile(on: disk) : SuperblockFile([])
            if let what = superblock.newer { throw EventLogError.newer(what, in: FileNames.superblock) }
            folder = try LogFolder(on: disk)
            let segments = try folder.openSegments(on: disk)
            let owner = try Owner(superblock, segments, on: disk, expected: identity, isFileThere: folder.hasSuperblock)
            let first = superblock.newest?.notes?.firstSegment ?? 0
            let held = segments.filter { $0.number >= first }
            let catalog = LogScanner.scan(
                held, on: disk, cluster: owner.cluster, node: owner.identity.node, superblock: superblock.newest)
            if let (what, place) = catalog.newer { throw EventLogError.newer(what, in: held[place].name) }
            let (patches, blocks) = try PatchFile.open(folder.patches, on: disk, cluster: owner.cluster)
            let scan = try LogAssembly.assemble(catalog, patches: blocks, segments: held, superblock: superblock, on: disk)
            if superblock.newest == nil { try owner.check(scan, catalog, held) }
            try LogBounds.check(scan, superblock.newest, segments)
            return LogReading(
                identity: owner.identity, cluster: owner.cluster, superblock: superblock, segments: held,
                released: segments.filter { $0.number < first }, patches: patches, scan: scan, patchedBlocks: blocks.count,
                disk: disk)
        } catch let error as DiskError {
            throw EventLogError(error)
        } catch let error as EventLogError {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Throws `wrongMembership` when the folder belongs to a cluster of other nodes.
    func check(_ membership: Membership?) throws(EventLogError) {
        guard let membership, let noted = superblock.newest?.membership, noted != membership else { return }
        throw EventLogError(
            .wrongMembership,
            "it belongs to a cluster of \(noted.words), and this node was started as one of \(membership.words)")
    }

    func close() {
        for segment in segments + released { disk.close(segment.file) }
        for patch in patches { disk.close(patch.file) }
    }
}

/// Whose folder it is: the superblock says so, or else all segments alike.
private struct Owner {
    let identity: LogIdentity
    let cluster: UInt64
    /// What is wrong with the superblock, for people.
    private let fault: String

    init(
        _ superblock: SuperblockFile, _ segments: [SegmentFile], on disk: any Disk, expected: LogIdentity?, isFileThere: Bool
    ) throws(EventLogError) {
        fault =
            isFileThere
            ? "both copies in \(FileNames.superblock) are damaged"
            : "\(FileNames.superblock) is missing from a data folder that holds a log"
        if let found = superblock.newest {
            identity = found.identity
            cluster = BlockCodec.clusterTag(found.identity.cluster)
        } else {
            var newer: (what: String, name: String)?
            let starts = segments.compactMap { segment -> SegmentStart? in
                let reader = SegmentReader(segment, on: disk)
                if let what = reader.newerFrame(at: 0) { newer = (what, segment.name) }
                guard let prefix = reader.frame(at: 0), prefix.kind == .segmentStart else { return nil }
                return reader.payload(of: prefix, at: 0) { SegmentStart($0) } ?? nil
            }
            if let newer { throw EventLogError.newer(newer.what, in: newer.name) }
            guard isFileThere || !segments.isEmpty else {
                throw EventLogError(.damaged, "there is neither a superblock nor a segment: no data folder, or its log is gone")
            }
            guard starts.count == segments.count, let first = starts.first,
                starts.allSatisfy({ $0.cluster == first.cluster && $0.node == first.node })
            else { throw EventLogError(.damaged, "\(fault), and the segments don't tell whose folder this is") }
            cluster = first.cluster
            let tag = expected.map { BlockCodec.clusterTag($0.cluster) }
            // The segments have the name's digest alone.
            let name = tag == cluster ? expected?.cluster : nil
            identity = LogIdentity(cluster: name ?? "(unknown)", node: first.node)
        }
        // A cluster may call itself by the words that stand for a name that can't be told.
        let isOthers = expected.map { BlockCodec.clusterTag($0.cluster) != cluster || $0 != identity } ?? false
        guard let expected, isOthers else { return }
        throw EventLogError(.wrongIdentity, "the data folder belongs to \(identity), not to \(expected)")
    }

    /// Without a superblock nothing covers the last frames, so everything must be as if nothing had ever happened to it.
    func check(_ scan: LogScan, _ catalog: FrameCatalog, _ segments: [SegmentFile]) throws(EventLogError) {
        let areInRow = zip(segments, segments.dropFirst()).allSatisfy { $0.number + 1 == $1.number }
        guard areInRow, catalog.starts.count == segments.count, scan.rotten.isEmpty, scan.torn == nil, scan.damage == nil else {
            throw EventLogError(.damaged, "\(fault), and the segments are not whole: what was acknowledged can't be told")
        }
    }
}
