import EventLog
import Foundation

/// A disk in memory for a thread of its own, on which descriptors become short when a test says so.
///
/// `@unchecked`: everything is guarded by `lock`.
final class ScarceDisk: Disk, @unchecked Sendable {
    private let disk = SimulatedDisk()
    private let lock = NSLock()

    var isScarce: Bool {
        get { lock.withLock { disk.isScarce } }
        set { lock.withLock { disk.asksUntilScarce = newValue ? 0 : nil } }
    }

    private func call<Value>(_ body: () throws(DiskError) -> Value) throws(DiskError) -> Value {
        lock.lock()
        defer { lock.unlock() }
        return try body()
    }

    func list() throws(DiskError) -> [String] { try call { () throws(DiskError) in try disk.list() } }
    func open(_ name: String, create: Bool) throws(DiskError) -> FileID {
        try call { () throws(DiskError) in try disk.open(name, create: create) }
    }
    func close(_ file: FileID) { lock.withLock { disk.close(file) } }
    func refresh(_ file: FileID) throws(DiskError) { try call { () throws(DiskError) in try disk.refresh(file) } }
    func size(_ file: FileID) throws(DiskError) -> UInt64 { try call { () throws(DiskError) in try disk.size(file) } }
    func read(_ file: FileID, at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        try call { () throws(DiskError) in try disk.read(file, at: offset, count: count) }
    }
    func write(_ file: FileID, at offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        try call { () throws(DiskError) in try disk.write(file, at: offset, bytes) }
    }
    func sync(_ file: FileID) throws(DiskError) { try call { () throws(DiskError) in try disk.sync(file) } }
    func rename(_ name: String, to newName: String) throws(DiskError) {
        try call { () throws(DiskError) in try disk.rename(name, to: newName) }
    }
    func remove(_ name: String) throws(DiskError) { try call { () throws(DiskError) in try disk.remove(name) } }
    func syncFolder() throws(DiskError) { try call { () throws(DiskError) in try disk.syncFolder() } }
    func freeSpace() throws(DiskError) -> UInt64 { try call { () throws(DiskError) in try disk.freeSpace() } }
}
