import Foundation

/// How much memory a process may have: what the machine has, or less where its control groups say so (version 1 or 2).
enum MemoryLimit {
    /// What a node's state may take of it. Snapshots that are written and states that are installed hold a second copy.
    static func part(_ bytes: UInt64) -> UInt64 { bytes / 10 * 4 }

    /// nil where nothing can be found out. `root`: the folder that has `proc` and `sys`.
    static func detected(root: String = "/") -> UInt64? {
        let all = [machine(root)] + groups(root).map { limit(at: $0) }
        return all.compactMap { $0 }.min()
    }

    private static func machine(_ root: String) -> UInt64? {
        guard let text = text(of: root + "proc/meminfo") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("MemTotal:") {
            let words = line.split(separator: " ")
            guard words.count == 3, words[2] == "kB", let kilobytes = UInt64(words[1]), kilobytes < 1 << 50 else { return nil }
            return kilobytes << 10
        }
        return nil
    }

    /// The files that may limit the process: those of its groups and of all above them, and the roots, which are the
    /// process's own groups where a container shows no others.
    private static func groups(_ root: String) -> [String] {
        var files: [String] = []
        for line in (text(of: root + "proc/self/cgroup") ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let isUnified = parts[0] == "0" && parts[1].isEmpty
            guard isUnified || parts[1].split(separator: ",").contains("memory") else { continue }
            let base = root + (isUnified ? "sys/fs/cgroup" : "sys/fs/cgroup/memory")
            let name = isUnified ? "memory.max" : "memory.limit_in_bytes"
            var path = base
            files.append("\(path)/\(name)")
            for step in parts[2].split(separator: "/") {
                path += "/\(step)"
                files.append("\(path)/\(name)")
            }
        }
        return files
    }

    /// nil for none: "max", or the huge number that stands for it in version 1.
    private static func limit(at file: String) -> UInt64? {
        guard let text = text(of: file), let bytes = UInt64(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            return nil
        }
        return bytes > 0 && bytes < 1 << 60 ? bytes : nil
    }

    private static func text(of file: String) -> String? {
        try? String(contentsOf: URL(filePath: file), encoding: .utf8)
    }
}
