package import Consensus

/// Turns a leader's draft into a block, and bytes from a disk or peer back into an entry.
///
/// A block is a fixed header (`BlockHeader`) and the payload, compressed where that pays. It is compressed and
/// hashed once, by the leader; from then on the same bytes go to every disk, peer and later reader. Its header's
/// digest covers the body's and its parent's, so one digest names a whole history.
package enum BlockCodec {
    package static let headerBytes = BlockHeader.byteCount
    /// The largest payload that can be sealed, in bytes.
    package static let maxPayloadBytes = Int(BlockHeader.maxRawLength)
    /// Below this many bytes LZ4 has nothing to find.
    private static let smallestCompressed = 64

    /// The number by which blocks name their cluster: the first 8 bytes of the SHA-256 of its name.
    package static func clusterTag(_ name: String) -> UInt64 {
        Array(name.utf8).withUnsafeBytes { Hashing.digest($0).high }
    }

    /// Compresses where that saves an eighth or more, hashes, and gives the entry. The same draft gives the same bytes.
    package static func seal(_ draft: EntryDraft, cluster: UInt64) -> Entry {
        precondition(draft.payload.count <= maxPayloadBytes, "a payload of \(draft.payload.count) bytes in entry \(draft.index)")
        let count = draft.payload.count
        let limit = count < smallestCompressed ? 0 : count - count / 8
        return draft.payload.withUnsafeBytes { raw in
            Compression.withCompressed(raw, limit: limit) { compressed in
                seal(draft, cluster: cluster, codec: compressed == nil ? .raw : .lz4, stored: compressed ?? raw)
            }
        }
    }

    private static func seal(
        _ draft: EntryDraft, cluster: UInt64, codec: BlockHeader.Codec, stored: UnsafeRawBufferPointer
    ) -> Entry {
        let header = BlockHeader(
            kind: draft.kind, codec: codec, cluster: cluster, term: draft.term, index: draft.index, time: draft.time,
            firstCommand: draft.firstCommand, commandCount: draft.commandCount, rawLength: UInt32(draft.payload.count),
            storedLength: UInt32(stored.count), parent: draft.parent, bodyDigest: Hashing.digest(stored))
        precondition(header.impossibleField == nil, "entry \(draft.index) has an impossible \(header.impossibleField ?? "")")
        var digest = Digest.zero
        let block = [UInt8](unsafeUninitializedCapacity: headerBytes + stored.count) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            digest = header.write(to: bytes)
            UnsafeMutableRawBufferPointer(rebasing: bytes[headerBytes...]).copyMemory(from: stored)
            initialized = headerBytes + stored.count
        }
        return entry(header, digest: digest, block: block)
    }

    /// The entry whose block this is. Total on garbage.
    package static func parse(_ block: [UInt8], cluster: UInt64) throws(BlockError) -> Entry {
        let (header, digest) = try block.withUnsafeBytes { verify($0, cluster: cluster) }.get()
        return entry(header, digest: digest, block: block)
    }

    /// The entry whose block this is, with a copy of the bytes. Total on garbage.
    package static func parse(_ bytes: UnsafeRawBufferPointer, cluster: UInt64) throws(BlockError) -> Entry {
        let (header, digest) = try verify(bytes, cluster: cluster).get()
        return entry(header, digest: digest, block: Array(bytes))
    }

    /// Verifies header, lengths and body of exactly one block.
    static func verify(_ bytes: UnsafeRawBufferPointer, cluster: UInt64) -> Result<(BlockHeader, Digest), BlockError> {
        BlockHeader.parse(bytes, cluster: cluster).flatMap { header, digest in
            guard bytes.count == headerBytes + Int(header.storedLength) else { return .failure(.length) }
            guard Hashing.digest(bytes.part(headerBytes..<bytes.count)) == header.bodyDigest else { return .failure(.bodyDigest) }
            return .success((header, digest))
        }
    }

    /// The payload as it was drafted. Never gives more bytes than the header names, nor fewer.
    package static func payload(of entry: Entry) throws(BlockError) -> [UInt8] {
        guard entry.block.count >= headerBytes else { throw .length }
        let codec = BlockHeader.Codec(rawValue: entry.block[6])
        switch codec {
        case .raw:
            return Array(entry.block[headerBytes...])
        case .lz4:
            let count = rawByteCount(of: entry)
            guard count <= maxPayloadBytes else { throw .field("raw length") }
            var whole = false
            let payload = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                let target = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
                whole = entry.block.withUnsafeBytes { Compression.decompress($0.part(headerBytes..<$0.count), into: target) }
                initialized = whole ? count : 0
            }
            guard whole else { throw .decompression }
            return payload
        case nil:
            throw .field("codec")
        }
    }

    /// The length of the payload before compression, in bytes.
    package static func rawByteCount(of entry: Entry) -> Int {
        guard entry.block.count >= headerBytes else { return 0 }
        return entry.block.withUnsafeBytes { Int($0.integer(at: 52, as: UInt32.self)) }
    }

    private static func entry(_ header: BlockHeader, digest: Digest, block: [UInt8]) -> Entry {
        Entry(
            kind: header.kind, term: header.term, index: header.index, time: header.time, firstCommand: header.firstCommand,
            commandCount: header.commandCount, parent: header.parent, digest: digest, block: block)
    }
}
