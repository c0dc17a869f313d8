/// A snapshot that is no snapshot: damaged, cut off, of a version that this one does not know, or of a state that no log
/// could have led to.
package struct SnapshotError: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// The bytes of an applied state: `jsnp`, the format's number as a `u32`, then records. A record is a `u32` length and as
/// many bytes, and starts with its kind where the place does not tell it.
///
///     the state     kind 0, the index of the last entry, its time, the last position, fence and session, the
///                   complete jobs of boards that were dropped, the bytes that the
///                   state counts for (`StateCost`), the bytes that the events count for
///     five times    a section's kind and the number of its items, then the items:
///       1 boards    by name
///       2 jobs      on a board or in the trash: by board, priority, and posting order
///       3 complete  jobs, in the order in which they will be forgotten
///       4 sessions  by last use; each with the number of the outcomes it keeps, which follow it by sequence
///       5 events    by position
///     the end       kind 255, the number of records before, the number of bytes before, the machine's fingerprint
///
/// All of it has no more bytes than the state and the events count for, and a reader takes in nothing that counts for more
/// than the state record says. Numbers are little-endian or varints. States that are equal, with memories of equal size, have equal bytes.
enum SnapshotFormat {
    /// `jsnp`.
    static let magic: UInt32 = 0x706e_736a
    static let version: UInt32 = 1
    static let stateKind: UInt8 = 0
    static let endKind: UInt8 = 255
    static let prefixLength = 4
    /// No record is longer; the longest is a job with details, a result and all other texts.
    static let longestRecord = 1 << 20

    enum Section: UInt8, CaseIterable {
        case boards = 1
        case jobs = 2
        case completed = 3
        case sessions = 4
        case events = 5

        /// nil after the last one.
        var next: Section? { Section(rawValue: rawValue + 1) }
    }
}
