import Consensus
import EventLog
import Glibc
import Testing

@Suite struct PosixDiskTests {
    /// Runs the body with the path of a folder that is gone afterwards; the folder itself is not yet there.
    private static func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/eventlog-test-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } }
        let root = try #require(made)
        let path = root + "/deep/data"
        defer {
            for name in (try? PosixDisk(path: path, access: .reader).list()) ?? [] { unlink(path + "/" + name) }
            unlink(path + "/lock")
            for folder in [path, root + "/deep", root] { rmdir(folder) }
        }
        try body(path)
    }

    @Test func `a folder or superblock that was replaced is noticed`() throws {
        try Self.withFolder { path in
            let disk = try PosixDisk(path: path, access: .owner)
            let (log, _) = try open(disk)
            try log.checkPlace()
            // As a copy that is renamed into place.
            #expect(link(path + "/superblock", path + "/kept") == 0)
            let copy = try PosixDisk(path: path, access: .helper)
            copy.close(try copy.open("copy", create: true))
            try copy.rename("copy", to: "superblock")
            #expect(throws: EventLogError.self) { try log.checkPlace() }
            #expect(code { try log.append([write(chain(1))]) } == .poisoned)
            try copy.rename("kept", to: "superblock")
            #expect(disk.isInPlace)
            #expect(rename(path, path + "-away") == 0)
            #expect(!disk.isInPlace)
            #expect(mkdir(path, 0o750) == 0)
            #expect(!disk.isInPlace)
            #expect(rmdir(path) == 0)
            #expect(rename(path + "-away", path) == 0)
            #expect(disk.isInPlace)
        }
    }

    @Test func `a symbolic link in the folder is not followed`() throws {
        try Self.withFolder { path in
            try open(PosixDisk(path: path, access: .owner)).0.close()
            #expect(rename(path + "/superblock", path + "/elsewhere") == 0)
            #expect(symlink("elsewhere", path + "/superblock") == 0)
            #expect(throws: EventLogError.self) { try open(PosixDisk(path: path, access: .owner)) }
            #expect(throws: DiskError.self) { try PosixDisk(path: path, access: .reader).open("superblock", create: false) }
        }
    }

    @Test func aLogOnARealDiskSurvivesReopening() throws {
        try Self.withFolder { path in
            let entries = chain(30, bytes: 2500)
            let state = HardState(term: 1, vote: NodeID(2))
            do {
                let (log, _) = try open(PosixDisk(path: path, access: .owner))
                for entry in entries { try log.append([write([entry], state: state, commit: entry.index - 1)]) }
                try log.release(through: 9)
                try SparePreparer.prepare(on: PosixDisk(path: path, access: .helper), segmentBytes: 16 << 10)
                log.close()
            }
            let (log, recovery) = try open(PosixDisk(path: path, access: .owner))
            #expect(recovery.entries == entries[Int(recovery.base.index)...].map(\.summary))
            #expect(recovery.hardState == state && recovery.commit == 29 && recovery.incarnation == 2)
            #expect(try log.read(from: 20, through: 30, maxBytes: .max) == Array(entries[19...]))
            var seen = 0
            let report = try EventLog.scan(PosixDisk(path: path, access: .reader)) { _ in
                seen += 1; return true
            }
            #expect(seen == recovery.entries.count && report.last.index == 30)
        }
    }

    @Test func aFolderHasOneOwner() throws {
        try Self.withFolder { path in
            let first = try PosixDisk(path: path, access: .owner)
            let error = #expect(throws: DiskError.self) { try PosixDisk(path: path, access: .owner) }
            #expect(error?.reason == .locked && error?.description == "\(path) is in use by another process")
            _ = try PosixDisk(path: path, access: .reader)
            #expect(try first.list().isEmpty)
        }
        try Self.withFolder { path in
            do { _ = try PosixDisk(path: path, access: .owner) }
            _ = try PosixDisk(path: path, access: .owner)
        }
    }

    @Test func filesReadAsWritten() throws {
        try Self.withFolder { path in
            let disk = try PosixDisk(path: path, access: .owner)
            let file = try disk.open("a", create: true)
            try [1, 2, 3].withUnsafeBytes { try disk.write(file, at: 5, UnsafeRawBufferPointer($0)) }
            try disk.sync(file)
            #expect(try disk.size(file) == 5 + 24)
            #expect(try disk.read(file, at: 0, count: 7) == [0, 0, 0, 0, 0, 1, 0])
            #expect(try disk.read(file, at: 28, count: 10) == [0] && disk.read(file, at: 99, count: 1).isEmpty)
            try disk.rename("a", to: "b")
            try disk.syncFolder()
            #expect(try disk.list() == ["b"] && disk.freeSpace() > 0)
            disk.close(file)
            #expect(throws: DiskError.self) { try disk.size(file) }
        }
    }

    @Test func errorsNameCallFileAndReason() throws {
        try Self.withFolder { path in
            let disk = try PosixDisk(path: path, access: .owner)
            let missing = #expect(throws: DiskError.self) { try disk.open("gone", create: false) }
            #expect(missing == nil || missing!.reason == .notFound)
            #expect(missing?.description == "open \(path)/gone: No such file or directory")
            #expect(throws: DiskError.self) { try PosixDisk(path: path + "/none", access: .reader) }
            let reader = try PosixDisk(path: path, access: .reader)
            disk.close(try disk.open("a", create: true))
            let file = try reader.open("a", create: false)
            let denied = #expect(throws: DiskError.self) { try [0].withUnsafeBytes { try reader.write(file, at: 0, $0) } }
            #expect(denied?.description == "pwrite \(path)/a: Bad file descriptor")
        }
    }
}
