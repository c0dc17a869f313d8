import Foundation

/// A new file for lines that were refused, as they were, so that they can be mended and posted.
final class RefusedLines: Sendable {
    let path: String
    private let file: Int32

    /// - Throws: when there is such a file: it may be the one that is being posted.
    init(path: String) throws(CommandFailure) {
        file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw .usage("--skip-bad: can't make \(path): \(String(cString: strerror(errno)))") }
        self.path = path
    }

    deinit {
        close(file)
    }

    func add(_ line: [UInt8]) throws(CommandFailure) {
        let code = Console.write(line + [UInt8(ascii: "\n")], to: file)
        guard code == 0 else { throw .failed("--skip-bad: can't write \(path): \(String(cString: strerror(code)))") }
    }
}
