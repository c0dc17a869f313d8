/// To whom a data folder belongs; fixed when it is created.
package struct LogIdentity: Sendable, Equatable, CustomStringConvertible {
    /// The cluster's name, at most 255 bytes of UTF-8.
    package var cluster: String
    package var node: UInt64

    package init(cluster: String, node: UInt64) {
        self.cluster = cluster
        self.node = node
    }

    package var description: String { "node \(node) of cluster \"\(cluster)\"" }
}

package struct EventLogOptions: Sendable {
    /// The size of a segment file; a multiple of 4096, from 8 KiB to 1 GiB. No entry may be larger.
    package let segmentBytes: UInt64
    /// How many spare segments are kept for use again; more are removed.
    package let maxSpares: Int
    /// How many are to be ready. One that was used and can't be made anew is the reserve's beginning.
    package let readySpares: Int

    package init(segmentBytes: UInt64 = 64 << 20, maxSpares: Int = 2, readySpares: Int = 1) {
        precondition(
            segmentBytes % pageBytes == 0 && (8 << 10...1 << 30).contains(segmentBytes), "segments of \(segmentBytes) bytes")
        precondition(maxSpares >= 0 && readySpares >= 0)
        self.segmentBytes = segmentBytes
        self.maxSpares = maxSpares
        self.readySpares = readySpares
    }
}
