/// Why bytes are not a block of this cluster.
package enum BlockError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Fewer bytes than a header, or other lengths than the header says.
    case length
    case notABlock
    /// The header does not give its own digest.
    case headerDigest
    /// A format that this version does not read.
    case format(UInt16)
    case otherCluster
    /// A field with a value that this version does not know; says which.
    case unknown(String)
    /// A field that no version ever writes; says which.
    case field(String)
    /// A whole block, but not the entry that should be there.
    case otherEntry
    /// The body does not give the digest that the header names.
    case bodyDigest
    /// The body does not decompress to the length that the header names.
    case decompression

    package var description: String {
        switch self {
        case .length: "a block of the wrong length"
        case .notABlock: "not a block"
        case .headerDigest: "a block whose header does not match its digest"
        case .format(let format): "a block of format \(format), which this version does not know"
        case .otherCluster: "a block of another cluster"
        case .unknown(let name): "a block with an unknown \(name)"
        case .field(let name): "a block with an impossible \(name)"
        case .otherEntry: "the block of another entry"
        case .bodyDigest: "a block whose body does not match its digest"
        case .decompression: "a block that does not decompress to its length"
        }
    }
}
