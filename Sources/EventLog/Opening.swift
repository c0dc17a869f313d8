/// One opening of the folder, and which frames it wrote.
struct Opening: Equatable {
    static let encodedBytes = 16
    /// As many are remembered; they fit in a copy of the superblock. Of frames from before them only the order of incarnations
    /// is known.
    static let most = 128

    var incarnation: UInt32
    /// The last frame before its first.
    var behind: UInt64
}

/// The newest openings of a folder, in order.
///
/// Each frame was written by one opening, and which one follows from its number. So what a torn tail held, of the same
/// numbers but an earlier opening, is never taken for what was written in its place, however much of that has rotted.
struct Openings {
    private(set) var all: [Opening]

    /// All that the superblock knows; none without one, or in one of format 1.
    init(_ superblock: Superblock?) {
        all = []
        guard let superblock, let notes = superblock.notes else { return }
        all = notes.earlier + [Opening(incarnation: superblock.incarnation, behind: notes.opened)]
    }

    /// Those before a new one that goes on behind the frame `behind`. One that wrote nothing that counts is forgotten.
    func earlier(than behind: UInt64) -> [Opening] {
        Array(all.filter { $0.behind < behind }.suffix(Opening.most))
    }

    /// Whether a frame of this number may have been written by this opening.
    func admit(_ prefix: FramePrefix) -> Bool {
        guard let first = all.first else { return true }
        guard let place = all.lastIndex(where: { $0.behind < prefix.sequence }) else {
            // What comes before the first one that is remembered; the making of the folder counts with its first opening.
            return prefix.incarnation <= first.incarnation
        }
        // The last one too: an opening is in both copies of the superblock before it writes a frame, so there is none that
        // neither of them knows.
        return prefix.incarnation == all[place].incarnation
    }
}
