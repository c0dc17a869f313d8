import Foundation
import Testing

@testable import NodeServer

@Suite struct MemoryLimitTests {
    /// A folder that looks like `/` to whoever asks for memory.
    private static func limit(_ files: [String: String]) throws -> UInt64? {
        let root = FileManager.default.temporaryDirectory.appending(path: "memory-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return MemoryLimit.detected(root: root.path() + "/")
    }

    private static let meminfo = "MemFree: 5 kB\nMemTotal:        8000000 kB\nMemAvailable: 7 kB\n"

    @Test func `without control groups it is the machine's memory`() throws {
        #expect(try Self.limit(["proc/meminfo": Self.meminfo]) == 8_192_000_000)
        #expect(try Self.limit([:]) == nil)
        #expect(try Self.limit(["proc/meminfo": "MemTotal: much\n"]) == nil)
    }

    @Test func `a group of version 2, or one above it, may allow less`() throws {
        var files = ["proc/meminfo": Self.meminfo, "proc/self/cgroup": "0::/a/b\n"]
        files["sys/fs/cgroup/a/b/memory.max"] = "max\n"
        #expect(try Self.limit(files) == 8_192_000_000)
        files["sys/fs/cgroup/a/memory.max"] = "1073741824\n"
        #expect(try Self.limit(files) == 1 << 30)
        files["sys/fs/cgroup/a/b/memory.max"] = "536870912\n"
        #expect(try Self.limit(files) == 512 << 20)
    }

    @Test func `in a container the group is the root`() throws {
        let files = ["proc/meminfo": Self.meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456"]
        #expect(try Self.limit(files) == 256 << 20)
    }

    @Test func `a group of version 1 may allow less, and its huge number means no limit`() throws {
        var files = ["proc/meminfo": Self.meminfo, "proc/self/cgroup": "3:cpu:/x\n7:memory:/docker/c\n0::/\n"]
        files["sys/fs/cgroup/memory/docker/c/memory.limit_in_bytes"] = "9223372036854771712\n"
        #expect(try Self.limit(files) == 8_192_000_000)
        files["sys/fs/cgroup/memory/docker/c/memory.limit_in_bytes"] = "1073741824\n"
        #expect(try Self.limit(files) == 1 << 30)
    }

    @Test func `a node's part is two fifths`() {
        #expect(MemoryLimit.part(1000) == 400)
    }
}
