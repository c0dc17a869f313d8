package import Consensus

/// What reading a snapshot file again has shown.
package struct SnapshotCheck: Sendable, Equatable {
    /// The entry that its name says it reaches to.
    package var index: LogIndex
    /// What it is; nil when its table of contents can't be read.
    package var snapshot: SnapshotReference?
    /// Chunks that were read and are whole, and their bytes as stored.
    package var chunks = 0
    package var bytes: UInt64 = 0
    /// What is wrong, a line each.
    package var faults: [String] = []
    /// Where to go on; nil at the end of the file.
    package var next: Int?
}

extension SnapshotStore {
    /// Reads chunks again from `first` on, `maxBytes` of them or a little more, and verifies them.
    ///
    /// Throws `disk`, and `notInLog` when there is no such snapshot; damage is in what it gives.
    package func check(
        _ index: LogIndex, from first: Int = 0, maxBytes: UInt64 = .max
    ) throws(EventLogError) -> SnapshotCheck {
        var check = SnapshotCheck(index: index)
        let file: SnapshotFile
        do {
            file = try open(index)
        } catch  where error.code == .damaged {
            check.faults.append(error.description)
            return check
        }
        defer { file.close() }
        check.snapshot = file.contents.reference
        for number in file.contents.chunks.indices.dropFirst(first) {
            guard check.bytes < maxBytes else {
                check.next = number
                break
            }
            do {
                check.bytes += UInt64(try file.storedChunk(number).count)
                check.chunks += 1
            } catch  where error.code == .damaged {
                check.faults.append(error.description)
            }
        }
        return check
    }
}
