import Dispatch
import Foundation

/// Reads a file or standard input line by line, off the threads that tasks run on.
struct LineFile: ~Copyable {
    private static let chunkBytes = 256 << 10
    /// A longer line is no job: details end at 256 KiB.
    static let longestLine = 2 << 20

    /// The file's size in bytes, when it has one.
    let size: UInt64?
    /// Bytes handed out as lines so far, their ends included.
    private(set) var consumed: UInt64 = 0
    private let file: Int32
    private var buffer: [UInt8] = []
    private var place = 0
    private var isAtEnd = false
    private var hasBegun = false

    /// - Parameter path: "-" for standard input.
    init(_ path: String) throws(CommandFailure) {
        file = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .usage("can't read \(path): \(String(cString: strerror(errno)))") }
        var information = stat()
        let isRegular = fstat(file, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
        size = isRegular ? UInt64(information.st_size) : nil
    }

    deinit {
        _ = close(file)
    }

    /// The next line without its end; nil after the last.
    mutating func next() async throws(CommandFailure) -> [UInt8]? {
        var searched = place
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(buffer[place..<end])
                consumed += UInt64(end + 1 - place)
                place = end + 1
                return line
            }
            if isAtEnd {
                guard place < buffer.count else { return nil }
                let line = Array(buffer[place...])
                consumed += UInt64(line.count)
                place = buffer.count
                return line
            }
            guard buffer.count - place <= Self.longestLine else { throw .usage("longer than \(Self.longestLine) bytes") }
            buffer.removeFirst(place)
            searched = buffer.count
            place = 0
            let chunk = try await Self.read(file)
            isAtEnd = chunk.isEmpty
            buffer += chunk
            skipByteOrderMark()
        }
    }

    /// Some editors begin a UTF-8 file with one; it is not part of the first line.
    private mutating func skipByteOrderMark() {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        guard !hasBegun, buffer.count >= mark.count || isAtEnd else { return }
        hasBegun = true
        guard buffer.starts(with: mark) else { return }
        buffer.removeFirst(mark.count)
        consumed = UInt64(mark.count)
    }

    /// Waits for bytes on a thread that may wait, since standard input can take its time.
    private static func read(_ file: Int32) async throws(CommandFailure) -> [UInt8] {
        let result: Result<[UInt8], CommandFailure> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var chunk = [UInt8](repeating: 0, count: chunkBytes)
                var count = Foundation.read(file, &chunk, chunkBytes)
                while count < 0, errno == EINTR { count = Foundation.read(file, &chunk, chunkBytes) }
                guard count >= 0 else {
                    return continuation.resume(returning: .failure(.failed("can't read: \(String(cString: strerror(errno)))")))
                }
                chunk.removeSubrange(count...)
                continuation.resume(returning: .success(chunk))
            }
        }
        return try result.get()
    }
}
