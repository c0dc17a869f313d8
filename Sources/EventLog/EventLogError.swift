/// Why the log can't do what it was asked.
package struct EventLogError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The folder belongs to another cluster or node.
        case wrongIdentity
        /// The folder belongs to this node of a cluster of other nodes; nothing in it was changed.
        case wrongMembership
        /// A newer version wrote the folder, in a format that this one does not know; nothing in it was changed.
        case newer
        /// Bytes that were acknowledged are unreadable, or files are missing.
        case damaged
        /// The block should be in the log and can't be read; it may come back by `EventLog.repair`.
        case missing
        /// The disk is full; nothing was written.
        case noSpace
        /// Descriptors or memory are short: nothing was changed, and the same can be tried again later.
        case transient
        /// Another process has the folder.
        case locked
        /// A call on the disk failed. The log takes no more writes: what the disk holds is known only after a restart.
        case disk
        /// An earlier write or sync failed.
        case poisoned
        /// An entry that fits in no segment; nothing was written.
        case tooLarge
        /// An index that the log does not hold: released, or not yet written.
        case notInLog
    }

    package var code: Code
    /// One line for people.
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func newer(_ what: String, in name: String) -> EventLogError {
        EventLogError(
            .newer,
            "\(name) holds \(what), written by a newer version of jobboard than this one; start that version, nothing was changed"
        )
    }

    init(_ error: DiskError) {
        let code: Code =
            switch error.reason {
            case .locked: .locked
            case .noSpace: .noSpace
            case .transient: .transient
            case .notFound, .denied, .failed: .disk
            }
        self.init(code, error.description)
    }
}
