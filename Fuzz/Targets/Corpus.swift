import Foundation

/// The inputs that are kept in the repository, a folder for each target: fuzzing begins with them, and tests replay them.
package enum Corpus {
    /// `Fuzz/Corpus` of the sources that this was built from.
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Corpus")

    /// In order of name.
    package static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = folder.appending(path: target.name)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.map { ($0, Array(try Data(contentsOf: folder.appending(path: $0)))) }
    }

    /// The names of the folders.
    package static func folders() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
    }

    /// Whether the corpus holds the seed under this name; with `UPDATE_FUZZ_SEEDS=1` it is put there first.
    package static func holds(_ seed: [UInt8], as name: String, of target: String) throws -> Bool {
        let file = folder.appending(path: target).appending(path: "seed-" + name.replacing(" ", with: "-"))
        if ProcessInfo.processInfo.environment["UPDATE_FUZZ_SEEDS"] == "1" {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(seed).write(to: file)
        }
        return try Array(Data(contentsOf: file)) == seed
    }
}
