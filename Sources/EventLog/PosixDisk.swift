import Glibc
import Synchronization

/// A data folder on a real disk. The one file that makes system calls.
package final class PosixDisk: Disk {
    /// What the folder is opened for.
    package enum Access: Sendable {
        /// The node's own: makes the folder, and holds its lock so that no other process does.
        case owner
        /// A second handle of the owner's process, for another thread; takes no lock.
        case helper
        /// Reads alone, beside a live node; takes no lock and changes nothing.
        case reader
    }

    private static let lockName = "lock"
    private let path: String
    private let access: Access
    private let folder: Int32
    private var lock: Int32 = -1
    private var names: [Int32: String] = [:]

    /// Descriptors that all of this process's disks hold at the moment.
    package static var openDescriptors: Int { descriptors.load(ordering: .relaxed) }
    private static let descriptors = Atomic<Int>(0)

    /// Opens the folder at `path`; an owner makes it and its parents when they are missing.
    ///
    /// Throws `locked` when another process owns it.
    package init(path: String, access: Access) throws(DiskError) {
        self.path = path
        self.access = access
        if access == .owner { try Self.makeFolders(path) }
        folder = try Self.opened(path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard access == .owner else { return }
        let handle = try Self.opened(path + "/" + Self.lockName) {
            openat(folder, Self.lockName, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        }
        lock = handle
        guard (Self.retrying { flock(handle, LOCK_EX | LOCK_NB) }) == 0 else {
            let code = errno
            if code == EWOULDBLOCK { throw DiskError(.locked, "\(path) is in use by another process") }
            throw Self.failure("flock", path + "/" + Self.lockName, code)
        }
    }

    deinit {
        for file in names.keys { Self.release(file) }
        if lock >= 0 { Self.release(lock) }
        if folder >= 0 { Self.release(folder) }
    }

    package var isInPlace: Bool {
        var found = stat()
        guard Self.isSame(folder, &found, Self.retrying { stat(path, &found) }) else { return false }
        guard let superblock = names.first(where: { $0.value == FileNames.superblock })?.key else { return true }
        let result = Self.retrying { fstatat(folder, FileNames.superblock, &found, AT_SYMLINK_NOFOLLOW) }
        return Self.isSame(superblock, &found, result)
    }

    /// Whether a name leads to what is open. What can't be found out now is looked at again later.
    private static func isSame(_ file: Int32, _ named: inout stat, _ result: Int32) -> Bool {
        guard result == 0 else { return errno != ENOENT && errno != ENOTDIR }
        var held = stat()
        guard fstat(file, &held) == 0 else { return true }
        return held.st_dev == named.st_dev && held.st_ino == named.st_ino
    }

    package func list() throws(DiskError) -> [String] {
        let handle = try Self.asking("open", path) { openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = fdopendir(handle) else {
            let error = Self.failure("fdopendir", path, errno, changesNothing: true)
            _ = Glibc.close(handle)
            throw error
        }
        defer { closedir(stream) }
        var found: [String] = []
        while true {
            errno = 0
            guard let item = readdir(stream) else {
                if errno != 0 { throw Self.failure("readdir", path, errno, changesNothing: true) }
                return found
            }
            let name = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != "..", name != Self.lockName { found.append(name) }
        }
    }

    package func open(_ name: String, create: Bool) throws(DiskError) -> FileID {
        let mode = access == .reader ? O_RDONLY : create ? O_RDWR | O_CREAT : O_RDWR
        let file = try Self.opened(full(name)) { openat(folder, name, mode | O_CLOEXEC | O_NOFOLLOW, 0o640) }
        names[file] = name
        guard access != .reader else { return FileID(file) }
        do {
            try refresh(FileID(file))
        } catch {
            close(FileID(file))
            throw error
        }
        return FileID(file)
    }

    package func refresh(_ file: FileID) throws(DiskError) {
        try sync(file)
        // A page whose write-back failed stays in memory as if it were written; reading must show what the disk has.
        _ = posix_fadvise(file.rawValue, 0, 0, Int32(POSIX_FADV_DONTNEED))
    }

    package func close(_ file: FileID) {
        // Nothing hangs on its result: what must last was synced, and Linux frees the number in any case.
        if names.removeValue(forKey: file.rawValue) != nil { Self.release(file.rawValue) }
    }

    package func size(_ file: FileID) throws(DiskError) -> UInt64 {
        var status = stat()
        try Self.asking("fstat", full(file)) { fstat(file.rawValue, &status) }
        return UInt64(status.st_size)
    }

    package func read(_ file: FileID, at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized..<count])
                let got = Self.whileScarce {
                    pread(file.rawValue, rest.baseAddress, rest.count, off_t(offset) + off_t(initialized))
                }
                if got < 0 { failure = errno }
                guard got > 0 else { return }
                initialized += got
            }
        }
        guard failure == 0 else { throw Self.failure("pread", full(file), failure) }
        return bytes
    }

    package func write(_ file: FileID, at offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let put = try Self.waiting("pwrite", full(file)) {
                pwrite(file.rawValue, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            }
            guard put > 0 else { throw DiskError(.failed, "pwrite \(full(file)): nothing was written") }
            done += put
        }
    }

    package func sync(_ file: FileID) throws(DiskError) {
        try Self.call("fdatasync", full(file)) { fdatasync(file.rawValue) }
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        try Self.waiting("rename", full(name) + " to " + newName) { renameat(folder, name, folder, newName) }
        for (file, known) in names where known == name { names[file] = newName }
    }

    package func remove(_ name: String) throws(DiskError) {
        try Self.waiting("unlink", full(name)) { unlinkat(folder, name, 0) }
    }

    package func syncFolder() throws(DiskError) {
        try Self.call("fsync", path) { fsync(folder) }
    }

    package func freeSpace() throws(DiskError) -> UInt64 {
        var status = statvfs()
        try Self.asking("fstatvfs", path) { fstatvfs(folder, &status) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    // MARK: Calls and their failures

    private func full(_ name: String) -> String { path + "/" + name }
    private func full(_ file: FileID) -> String { full(names[file.rawValue] ?? "file \(file.rawValue)") }

    private static func retrying<Value: SignedInteger>(_ body: () -> Value) -> Value {
        while true {
            let value = body()
            if value >= 0 || errno != EINTR { return value }
        }
    }

    @discardableResult
    private static func call<Value: SignedInteger>(
        _ name: String, _ file: @autoclosure () -> String, _ body: () -> Value
    ) throws(DiskError) -> Value {
        let value = retrying(body)
        guard value < 0 else { return value }
        let code = errno
        throw failure(name, file(), code)
    }

    /// A call that makes a descriptor. Linux takes the number and the memory for it before it touches a name, so one that
    /// fails for want of them has made nothing.
    private static func opened(_ file: @autoclosure () -> String, _ body: () -> Int32) throws(DiskError) -> Int32 {
        let descriptor = try asking("open", file(), body)
        descriptors.add(1, ordering: .relaxed)
        return descriptor
    }

    private static func release(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
        descriptors.subtract(1, ordering: .relaxed)
    }

    /// A call that changes nothing on the disk, and so can be made again when it failed for want of descriptors or memory.
    @discardableResult
    private static func asking<Value: SignedInteger>(
        _ name: String, _ file: @autoclosure () -> String, _ body: () -> Value
    ) throws(DiskError) -> Value {
        let value = retrying(body)
        guard value < 0 else { return value }
        let code = errno
        throw failure(name, file(), code, changesNothing: true)
    }

    /// A read, a write or a change of a name: when the system has no memory for it, it has not begun, and is made again right
    /// here, since its caller is in the middle of something. A sync is never among them: one that failed for any reason may
    /// have dropped what it was to write.
    @discardableResult
    private static func waiting<Value: SignedInteger>(
        _ name: String, _ file: @autoclosure () -> String, _ body: () -> Value
    ) throws(DiskError) -> Value {
        let value = whileScarce(body)
        guard value < 0 else { return value }
        let code = errno
        throw failure(name, file(), code)
    }

    /// Makes the call again for up to half a minute while the system has no memory for it.
    private static func whileScarce<Value: SignedInteger>(_ body: () -> Value) -> Value {
        for _ in 0..<3000 {
            let value = retrying(body)
            guard value < 0, errno == ENOMEM || errno == EAGAIN else { return value }
            usleep(10_000)
        }
        return retrying(body)
    }

    private static func failure(
        _ call: String, _ file: String, _ code: Int32, changesNothing: Bool = false
    ) -> DiskError {
        let reason: DiskError.Reason =
            switch code {
            case EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR: changesNothing ? .transient : .failed
            case ENOENT: .notFound
            case ENOSPC, EDQUOT: .noSpace
            case EACCES, EPERM, EROFS: .denied
            default: .failed
            }
        return DiskError(reason, "\(call) \(file): \(String(cString: strerror(code)))")
    }

    /// Makes the folder and its parents; each new name is synced in its parent.
    private static func makeFolders(_ path: String) throws(DiskError) {
        var parent = path.hasPrefix("/") ? "/" : "."
        var current = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            current += "/" + part
            if mkdir(current, 0o750) == 0 {
                let handle = try call("open", parent) { Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
                defer { _ = Glibc.close(handle) }
                try call("fsync", parent) { fsync(handle) }
            } else if errno != EEXIST {
                throw failure("mkdir", current, errno)
            }
            parent = current
        }
    }
}
