import Glibc

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

    /// Opens the folder at `path`; an owner makes it and its parents when they are missing.
    ///
    /// Throws `locked` when another process owns it.
    package init(path: String, access: Access) throws(DiskError) {
        self.path = path
        self.access = access
        if access == .owner { try Self.makeFolders(path) }
        folder = try Self.call("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard access == .owner else { return }
        let handle = try Self.call("open", path + "/" + Self.lockName) {
            openat(folder, Self.lockName, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        }
        lock = handle
        guard (Self.retrying { flock(handle, LOCK_EX | LOCK_NB) }) == 0 else {
            let code = errno
            if code == EWOULDBLOCK { throw DiskError(.locked, "\(path) is in use by another process") }
            throw Self.failure("flock", path + "/" + Self.lockName, code)
        }
    }

    deinit {
        for file in names.keys { _ = Glibc.close(file) }
        if lock >= 0 { _ = Glibc.close(lock) }
        if folder >= 0 { _ = Glibc.close(folder) }
    }

    package func list() throws(DiskError) -> [String] {
        let handle = try Self.call("open", path) { openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = fdopendir(handle) else {
            let error = Self.failure("fdopendir", path, errno)
            _ = Glibc.close(handle)
            throw error
        }
        defer { closedir(stream) }
        var found: [String] = []
        while true {
            errno = 0
            guard let item = readdir(stream) else {
                if errno != 0 { throw Self.failure("readdir", path, errno) }
                return found
            }
            let name = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != "..", name != Self.lockName { found.append(name) }
        }
    }

    package func open(_ name: String, create: Bool) throws(DiskError) -> FileID {
        let mode = access == .reader ? O_RDONLY : create ? O_RDWR | O_CREAT : O_RDWR
        let file = try Self.call("open", full(name)) { openat(folder, name, mode | O_CLOEXEC, 0o640) }
        names[file] = name
        guard access != .reader else { return FileID(file) }
        do {
            try sync(FileID(file))
        } catch {
            close(FileID(file))
            throw error
        }
        // A page whose write-back failed stays in memory as if it were written; reading must show what the disk has.
        _ = posix_fadvise(file, 0, 0, Int32(POSIX_FADV_DONTNEED))
        return FileID(file)
    }

    package func close(_ file: FileID) {
        // Nothing hangs on its result: what must last was synced, and Linux frees the number in any case.
        if names.removeValue(forKey: file.rawValue) != nil { _ = Glibc.close(file.rawValue) }
    }

    package func size(_ file: FileID) throws(DiskError) -> UInt64 {
        var status = stat()
        try Self.call("fstat", full(file)) { fstat(file.rawValue, &status) }
        return UInt64(status.st_size)
    }

    package func read(_ file: FileID, at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized..<count])
                let got = Self.retrying { pread(file.rawValue, rest.baseAddress, rest.count, off_t(offset) + off_t(initialized)) }
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
            let put = try Self.call("pwrite", full(file)) {
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
        try Self.call("rename", full(name) + " to " + newName) { renameat(folder, name, folder, newName) }
        for (file, known) in names where known == name { names[file] = newName }
    }

    package func remove(_ name: String) throws(DiskError) {
        try Self.call("unlink", full(name)) { unlinkat(folder, name, 0) }
    }

    package func syncFolder() throws(DiskError) {
        try Self.call("fsync", path) { fsync(folder) }
    }

    package func freeSpace() throws(DiskError) -> UInt64 {
        var status = statvfs()
        try Self.call("fstatvfs", path) { fstatvfs(folder, &status) }
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

    private static func failure(_ call: String, _ file: String, _ code: Int32) -> DiskError {
        let reason: DiskError.Reason =
            switch code {
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
