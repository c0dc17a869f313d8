import Glibc

/// Where a cluster file has the secret. Only nodes look there: a client reads the same file and needs no secret.
package enum SecretSource: Sendable, Equatable {
    /// In the cluster file itself: the secret, and the file's path when it was read from one.
    case text(String, file: String?)
    /// In a file of its own.
    case file(String)

    /// The secret. Throws when it is too short, or when others than the file's owner could read or replace it.
    func read() throws(ConfigurationError) -> String {
        switch self {
        case .text(let secret, let file):
            if let refusal = ClusterSecret.refusal(of: secret) {
                throw ConfigurationError("\(file.map { "\($0): " } ?? "")\"secret\" \(refusal)")
            }
            if let file { _ = try PrivateFile.read(file, as: "it holds the \"secret\" and") }
            return secret
        case .file(let path):
            let bytes = try PrivateFile.read(path, as: "it is the \"secret_file\" and")
            guard var secret = String(validating: bytes, as: UTF8.self) else {
                throw ConfigurationError("\(path): the secret is not UTF-8 text")
            }
            while let last = secret.last, last.isNewline { secret.removeLast() }
            guard !secret.contains(where: \.isNewline) else {
                throw ConfigurationError("\(path): a \"secret_file\" has one line, the secret")
            }
            if let refusal = ClusterSecret.refusal(of: secret) { throw ConfigurationError("\(path): the secret \(refusal)") }
            return secret
        }
    }
}

/// Files that only their owner may read.
enum PrivateFile {
    private static let mostBytes = 1 << 20

    /// Reads the file. Throws when group or others may read or write it, when another user owns it, or when the path is a symbolic
    /// link of another user, who could make it lead elsewhere. `role`: what the file is, for the message.
    static func read(_ path: String, as role: String) throws(ConfigurationError) -> [UInt8] {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw failure(path) }
        if status.st_mode & S_IFMT == S_IFLNK, !isTrusted(status.st_uid) {
            throw ConfigurationError("\(path): \(role) is a symbolic link of another user (uid \(status.st_uid))")
        }
        // Without O_NONBLOCK the opening of a named pipe waits for its writer.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        guard fstat(file, &status) == 0 else { throw failure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ConfigurationError("\(path): not a regular file") }
        guard isTrusted(status.st_uid) else {
            throw ConfigurationError("\(path): \(role) belongs to another user (uid \(status.st_uid))")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw ConfigurationError("\(path): \(role) is open to other users (mode \(mode)); run: chmod 600 \(path)")
        }
        guard status.st_size <= mostBytes else { throw ConfigurationError("\(path): larger than \(mostBytes) bytes") }
        return try read(file, path)
    }

    /// Root can read and replace everything anyway.
    private static func isTrusted(_ user: uid_t) -> Bool { user == geteuid() || user == 0 }

    private static func read(_ file: Int32, _ path: String) throws(ConfigurationError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= mostBytes {
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path) }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return bytes
    }

    private static func failure(_ path: String) -> ConfigurationError {
        ConfigurationError("\(path): \(String(cString: strerror(errno)))")
    }
}
