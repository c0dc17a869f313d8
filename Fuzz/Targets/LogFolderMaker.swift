import Consensus
import EventLog

/// Data folders in memory for fuzzing the log.
package enum LogFolderMaker {
    static let identity = LogIdentity(cluster: Digests.cluster, node: 1)
    static let options = EventLogOptions(segmentBytes: 8 << 10)
    private static let pageBytes = 4096

    /// Two copies, each with its digest; the second one counts.
    package static let superblock = slot(superblockFields(2)) + slot(superblockFields(1))

    /// Blocks in a row: raw, and compressed by hand, since another release of the library may give other bytes.
    package static let sampleBlocks = sampleEntries.map(\.block) + [compressedBlock]

    private static let sampleEntries: [Entry] = {
        var entries: [Entry] = []
        for count in 1...4 {
            let last = entries.last?.summary ?? .beforeFirst
            let draft = EntryDraft(
                kind: EntryKind.allCases[count % 3], term: 1, index: last.index + 1, time: last.time + 7,
                firstCommand: last.nextCommand, commandCount: 2, parent: last.digest,
                payload: [UInt8](repeating: UInt8(count), count: 10 * count))
            entries.append(BlockCodec.seal(draft, cluster: BlockCodec.clusterTag(Digests.cluster)))
        }
        return entries
    }()

    /// Two hundred times the letter a: a literal, a match of 194, five last literals (LZ4 block format).
    private static let compressedBlock: [UInt8] = {
        let stored: [UInt8] = [0x1f, 0x61, 0x01, 0x00, 0xaf, 0x50, 0x61, 0x61, 0x61, 0x61, 0x61]
        var block = Array(sampleEntries[0].block[..<BlockCodec.headerBytes]) + stored
        block[6] = 1
        block.put(200 as UInt32, at: 52)
        block.put(UInt32(stored.count), at: 56)
        FuzzTarget.sealBlock(&block, in: 0..<block.count)
        return block
    }()

    /// Segments with votes, entries and a truncation.
    package static let sampleSegments: [UInt8] = (1...4).flatMap { sample["segment-0000000\($0)"] ?? [] }

    /// The superblock beside them, with notes.
    package static let sampleSuperblock = sample["superblock"] ?? []

    /// Its files by name.
    private static let sample: [String: [UInt8]] = {
        let disk = SimulatedDisk()
        let entries = sampleEntries
        let writes = [
            LogWrite(
                number: 1, hardState: HardState(term: 1, vote: NodeID(2)), truncateFrom: nil, entries: Array(entries[..<3]),
                commit: 1),
            LogWrite(number: 2, hardState: nil, truncateFrom: 3, entries: [], commit: 2),
            LogWrite(
                number: 3, hardState: HardState(term: 2, vote: nil), truncateFrom: nil, entries: [entries[2], entries[3]],
                commit: 2),
        ]
        promised {
            let log = try EventLog.open(on: disk, identity: identity, options: options).0
            for write in writes { try log.append([write]) }
            log.close()
        }
        var files: [String: [UInt8]] = [:]
        promised { for name in try disk.list() { files[name] = disk.contents(name) } }
        return files
    }()

    /// The sample with the pages of its first segment wiped, so that its first entries are missing.
    private static func rottenSample() -> SimulatedDisk {
        let size = Int(options.segmentBytes)
        return folder(
            superblock: sampleSuperblock, segments: [UInt8](repeating: 0, count: size) + sampleSegments.dropFirst(size))
    }

    /// The file of blocks that closes those holes.
    package static let samplePatch: [UInt8] = {
        let disk = rottenSample()
        promised {
            let log = try EventLog.open(on: disk, identity: identity, options: options).0
            while log.missing != nil, try !log.repair(with: sampleEntries).isEmpty {}
            log.close()
        }
        return disk.contents("patch-00000001") ?? []
    }()

    static func folderWithHoles(patch: [UInt8]) -> SimulatedDisk {
        let disk = rottenSample()
        write(patch, to: "patch-00000001", on: disk)
        return disk
    }

    /// What a superblock's copy begins with; see `EventLog/Superblock.swift`.
    package static func superblockFields(_ sequence: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 48) + Array(Digests.cluster.utf8)
        bytes.put(Array("supr".utf8), at: 0)
        bytes.put(1 as UInt32, at: 4)
        bytes.put(sequence, at: 8)
        bytes.put(BlockCodec.clusterTag(Digests.cluster), at: 16)
        bytes.put(identity.node, at: 24)
        bytes.put(1 as UInt32, at: 32)
        bytes.put(UInt32(Digests.cluster.utf8.count), at: 36)
        bytes.put(1 as UInt64, at: 40)
        return bytes
    }

    /// One copy of a superblock: zeros behind the fields, then the digest.
    static func slot(_ fields: some Collection<UInt8>) -> [UInt8] {
        var bytes = Array(fields.prefix(pageBytes - Digests.bytes))
        bytes += [UInt8](repeating: 0, count: pageBytes - Digests.bytes - bytes.count)
        return bytes + Digests.of(bytes)
    }

    static func folder(superblock: [UInt8], segments: [UInt8]) -> SimulatedDisk {
        let disk = SimulatedDisk()
        write(superblock, to: "superblock", on: disk)
        let size = Int(options.segmentBytes)
        for (place, start) in stride(from: 0, to: segments.count, by: size).enumerated() {
            var bytes = Array(segments[start..<min(start + size, segments.count)])
            bytes += [UInt8](repeating: 0, count: size - bytes.count)
            write(bytes, to: "segment-0000000\(place + 1)", on: disk)
        }
        return disk
    }

    static func write(_ bytes: [UInt8], to name: String, on disk: SimulatedDisk) {
        promised {
            let file = try disk.open(name, create: true)
            defer { disk.close(file) }
            try bytes.withUnsafeBytes { try disk.write(file, at: 0, $0) }
            try disk.sync(file)
        }
    }

    /// What can't fail on a disk in memory.
    private static func promised(_ work: () throws -> Void) {
        do { try work() } catch { preconditionFailure("\(error)") }
    }
}
