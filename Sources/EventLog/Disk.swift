/// A handle of an open file on a `Disk`.
package struct FileID: Hashable, Sendable {
    package let rawValue: Int32

    package init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }
}

/// One data folder, seen from the log: the seam below which everything can be simulated.
///
/// Used by one thread at a time. Every call may throw `DiskError`; after a failed write or sync nothing on the
/// disk may be believed any more (Rebello et al., "Can applications recover from fsync failures?").
package protocol Disk: AnyObject {
    /// Whether the folder that was opened, and the superblock in it, still stand under their names: false when others were put in
    /// their place, or none.
    var isInPlace: Bool { get }
    /// The names of the files in the folder, in no order.
    func list() throws(DiskError) -> [String]
    /// Opens a file for reading and writing, making it when `create` is set.
    ///
    /// What is read from it afterwards is on stable storage: what an earlier process left in memory is written out
    /// first, and what the disk lost is not answered from memory.
    func open(_ name: String, create: Bool) throws(DiskError) -> FileID
    func close(_ file: FileID)
    /// As closing the file and opening it again, for what is read from it afterwards; takes no new descriptor.
    func refresh(_ file: FileID) throws(DiskError)
    func size(_ file: FileID) throws(DiskError) -> UInt64
    /// Up to `count` bytes; fewer only at the end of the file.
    func read(_ file: FileID, at offset: UInt64, count: Int) throws(DiskError) -> [UInt8]
    /// All of the bytes, or an error.
    func write(_ file: FileID, at offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(DiskError)
    /// Returns when everything written to the file before is on stable storage (fdatasync).
    func sync(_ file: FileID) throws(DiskError)
    /// A file that has the new name already is replaced.
    func rename(_ name: String, to newName: String) throws(DiskError)
    func remove(_ name: String) throws(DiskError)
    /// Makes creations, renames and removals durable.
    func syncFolder() throws(DiskError)
    /// Bytes that could still be written.
    func freeSpace() throws(DiskError) -> UInt64
}

/// A disk call that failed.
package struct DiskError: Error, Sendable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case notFound, noSpace, denied, locked, failed
        /// The process or the machine is short of descriptors or memory. Nothing was done, and the same call may be made again
        /// later. Only calls that open or ask throw this, never one that writes or syncs.
        case transient
    }

    package var reason: Reason
    /// Which call on which file failed, and what the system said.
    package var description: String

    package init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }
}

extension Disk {
    /// Nobody else reaches a simulated disk.
    package var isInPlace: Bool { true }
}
