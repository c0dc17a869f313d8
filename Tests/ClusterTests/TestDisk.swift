import Foundation

/// A small disk of its own for one folder: a tmpfs, which only root may mount.
struct TestDisk {
    let folder: URL

    static let canMount: Bool = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobboard-mount-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        guard let disk = try? TestDisk(at: folder, mebibytes: 1) else { return false }
        disk.remove()
        return true
    }()

    init(at folder: URL, mebibytes: Int) throws {
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let result = try TestCluster.run(
            shell: "mount -t tmpfs -o size=\"$1\"m jobboard-test \"$0\"", [folder.path, "\(mebibytes)"])
        guard result.status == 0 else { throw TestCluster.Failure(description: result.errors) }
    }

    /// Somebody else takes all room that is left.
    func fill() throws {
        let result = try TestCluster.run(
            shell: "dd if=/dev/zero of=\"$0/ballast\" bs=64k; dd if=/dev/zero of=\"$0/more\" bs=4k", [folder.path])
        guard result.errors.contains("No space left") else { throw TestCluster.Failure(description: result.errors) }
    }

    /// The room is there again.
    func empty() throws {
        for name in ["ballast", "more"] { try FileManager.default.removeItem(at: folder.appending(path: name)) }
    }

    var spares: Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.count { $0.hasPrefix("spare-") }
    }

    /// Gone with all that is on it, whoever still uses it.
    func remove() {
        _ = try? TestCluster.run(shell: "umount -l \"$0\"", [folder.path])
    }
}
