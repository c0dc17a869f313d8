/// How much one session may keep for requests that its client has not acknowledged.
struct RetentionBounds {
    let count: Int
    let bytes: Int

    init(_ limits: BoardLimits) {
        (count, bytes) = (limits.sessionWindow, limits.sessionBytes)
    }
}

/// Which session loses kept answers first when all of them together are too large: one of the highest class, and of these the
/// one that was opened first. It follows from what the sessions keep alone, so a node that comes from a snapshot decides as
/// the others do.
///
/// A class is a power of two of kept bytes. Sessions below 1 KiB have none and are not in the order: the bound on all is so
/// high that they can't exceed it by themselves. A session that changes class gets a new entry; its old one is stale, and
/// dropped at the top or with all stale ones when they are the majority.
struct RetentionOrder: Sendable {
    private struct Entry: Sendable, Comparable {
        let itsClass: UInt8
        let session: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            left.itsClass != right.itsClass ? left.itsClass > right.itsClass : left.session < right.session
        }
    }

    private var heap = PagedHeap<Entry>()
    private var stale = 0

    /// 0 for none.
    static func `class`(of bytes: Int) -> UInt8 {
        bytes < 1024 ? 0 : UInt8(Int.bitWidth - bytes.leadingZeroBitCount)
    }

    /// The session to lose answers first.
    var first: UInt64? { heap.min?.session }

    mutating func move(_ session: UInt64, from old: UInt8, to new: UInt8) {
        if old > 0 { stale += 1 }
        if new > 0 { heap.insert(Entry(itsClass: new, session: session)) }
    }

    /// Drops stale entries until the first one is valid.
    mutating func settle(isValid: (UInt64, UInt8) -> Bool) {
        while let first = heap.min, !isValid(first.session, first.itsClass) {
            heap.popMin()
            stale = max(0, stale - 1)
        }
        guard stale > 64, stale > heap.count / 2 else { return }
        // A session that came back to a class has two entries there.
        var seen: Set<UInt64> = []
        heap = PagedHeap(heap.unordered.filter { isValid($0.session, $0.itsClass) && seen.insert($0.session).inserted })
        stale = 0
    }
}
