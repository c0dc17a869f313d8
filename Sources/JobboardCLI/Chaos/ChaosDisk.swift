import Foundation

/// A node's disk: a tmpfs of its own, small, enlarged as the log grows, and filled to the last byte when it is time.
///
/// It lies in the mount namespace around this process, and vanishes with it.
struct ChaosDisk: Sendable {
    /// What a fresh disk has, and what is added: room for some segments.
    private static let step: UInt64 = 64 << 20
    /// Less room than this and a healthy node could run out of it.
    private static let leastRoom: UInt64 = 40 << 20

    let folder: String
    private let scratch: String

    init(folder: String, scratch: String) throws(CommandFailure) {
        self.folder = folder
        self.scratch = scratch
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .failed("can't make \(folder)")
        }
        try mount("size=\(Self.step)")
    }

    var dataFolder: String { "\(folder)/data" }
    private var ballast: String { "\(folder)/ballast" }

    private func mount(_ options: String) throws(CommandFailure) {
        try ChaosTool.run(["mount", "-t", "tmpfs", "-o", options, "chaos-disk", folder], scratch: scratch)
    }

    private var size: (total: UInt64, free: UInt64) {
        var information = statvfs()
        guard statvfs(folder, &information) == 0 else { return (0, 0) }
        let block = UInt64(information.f_frsize)
        return (UInt64(information.f_blocks) * block, UInt64(information.f_bavail) * block)
    }

    /// Bytes that are in use.
    var used: UInt64 { size.total - size.free }

    /// Makes it larger where little room is left.
    func growIfNeeded() throws(CommandFailure) {
        let (total, free) = size
        if free < Self.leastRoom { try mount("remount,size=\(total + Self.step)") }
    }

    /// Takes all room that is left; gives how much that was.
    func fill() throws(CommandFailure) -> UInt64 {
        let file = open(ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .failed("can't make \(ballast)") }
        defer { close(file) }
        var filled: UInt64 = 0
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = write(file, piece, piece.count)
            if count > 0 {
                filled += UInt64(count)
            } else if piece.count > 1 {
                // What is left is less than a piece.
                piece.removeLast(piece.count - piece.count / 2)
            } else {
                return filled
            }
        }
    }

    /// Takes the disk away with all that is on it; nobody may use it any more.
    func remove() {
        try? ChaosTool.run(["umount", folder], scratch: scratch)
    }

    /// Gives the room back.
    func empty() {
        _ = unlink(ballast)
    }
}
