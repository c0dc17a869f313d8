package import Consensus

/// Makes a block that is corrupt on every node out of what each of them still has of it.
///
/// First the header, verified by the digest that names the block, then the body, verified by the digest in the header. So the
/// result is the block that was written, or there is none. May take seconds: not to be run on an event loop.
package struct BlockCombination: Sendable {
    package let block: MissingBlock
    private let cluster: UInt64
    private let copies: [BlockCopy]
    private let candidates: Int
    private let hashBytes: Int

    /// `candidates`: how many are tried at most, for the header and for the body each. `hashBytes`: how many bytes they may have
    /// together; one is always tried.
    package init(_ block: MissingBlock, cluster: UInt64, copies: [BlockCopy], candidates: Int, hashBytes: Int = .max) {
        self.block = block
        self.cluster = cluster
        self.copies = copies
        self.candidates = candidates
        self.hashBytes = hashBytes
    }

    /// The block; nil when the copies don't tell it.
    package func run() -> [UInt8]? {
        guard let bytes = header(), let header = parse(bytes) else { return nil }
        let body = BlockHeader.byteCount..<BlockHeader.byteCount + Int(header.storedLength)
        // Longer than any copy: too much is lost to look at.
        guard copies.contains(where: { $0.bytes.count >= body.upperBound }) else { return nil }
        let candidates = min(candidates, max(1, hashBytes / max(1, body.count)))
        var hash = ResumableHash()
        let found = CopyCombination(copies, body).find(atMost: candidates) { candidate, changedFrom in
            hash.digest(of: candidate, changedFrom: changedFrom) == header.bodyDigest
        }
        return found.map { bytes + $0 }
    }

    private func header() -> [UInt8]? {
        let known = BlockHeader.knownBytes(of: block, cluster: cluster)
        return CopyCombination(copies, 0..<BlockHeader.byteCount, known: known).find(atMost: candidates) { candidate, _ in
            parse(candidate) != nil
        }
    }

    private func parse(_ bytes: [UInt8]) -> BlockHeader? {
        bytes.withUnsafeBytes { bytes in
            guard case .success(let (header, digest)) = BlockHeader.parse(bytes, cluster: cluster), digest == block.digest,
                header.index == block.index
            else { return nil }
            return header
        }
    }
}

extension BlockHeader {
    /// What is known of the header of a block before it is read, by place.
    static func knownBytes(of block: MissingBlock, cluster: UInt64) -> [Int: UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.put(magic, at: 0)
            bytes.put(format, at: 4)
            bytes.put(cluster, at: 8)
            bytes.put(block.index, at: 24)
            bytes.put(block.digest, at: 96)
        }
        let places = [0..<6, 8..<16, 24..<32, 60..<64, 96..<112]
        return Dictionary(uniqueKeysWithValues: places.joined().map { ($0, bytes[$0]) })
    }
}
