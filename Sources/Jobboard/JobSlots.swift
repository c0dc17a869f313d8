/// A job on the board, in the trash, or complete and remembered, with what the machine needs to know of it besides.
struct JobRecord: Sendable {
    var job: Job
    /// `NewJob.content(on:)` of its post.
    var content: UInt64
    var board: Int32
    /// Counts how often the job became ready; the entry of a `ReadyQueue` that carries the current number is the valid one.
    var readyEpoch: UInt32 = 0
    /// Claimable now. An unclaimed job that is not ready waits for its `notBefore`.
    var isReady = false
    /// An expiry timer for it is in the heap.
    var expiryArmed = false
    /// The deadline of its one lease timer that counts; never later than the lease's true end. `Timer.none` for none.
    var leaseArmed = Timer.none
    /// The same for the end of a delay.
    var delayArmed = Timer.none

    init(job: Job, content: UInt64, board: Int32) {
        self.job = job
        self.content = content
        self.board = board
    }

    /// What an empty slot holds; no job has position 0.
    static let vacant = JobRecord(
        job: Job(
            id: JobID(high: 0, low: 0), board: "", name: "", details: [], priority: .normal,
            createdOn: Timestamp(milliseconds: 0), position: 0, lastModified: Timestamp(milliseconds: 0)),
        content: 0, board: -1)

    var isOnBoard: Bool { job.position != 0 && (job.state == .unclaimed || job.state == .claimed) }
}

/// The jobs, in dense numbered slots that are used again. Held in pieces, so that the first write after a copy (a
/// snapshot's view) copies one piece. Slot numbers are private to a process: they must never reach an effect or an order.
struct JobSlots: Sendable {
    private static let shift: Int32 = 9
    private static let mask: Int32 = 511

    private var pieces: ContiguousArray<ContiguousArray<JobRecord>> = []
    private var free: [Int32] = []
    /// Slots in use or free.
    private(set) var capacity: Int32 = 0

    /// Jobs in slots.
    var count: Int { Int(capacity) - free.count }

    /// Not `_read`: Swift 6.3 reads fields of a large yielded struct after the end of the coroutine, when it is freed.
    subscript(slot: Int32) -> JobRecord {
        @inline(__always) get { pieces[Int(slot >> Self.shift)][Int(slot & Self.mask)] }
        @inline(__always) _modify { yield &pieces[Int(slot >> Self.shift)][Int(slot & Self.mask)] }
    }

    mutating func insert(_ record: consuming JobRecord) -> Int32 {
        if let slot = free.popLast() {
            self[slot] = record
            return slot
        }
        let slot = capacity
        if slot & Self.mask == 0 {
            pieces.append([])
            pieces[pieces.count - 1].reserveCapacity(Int(Self.mask) + 1)
        }
        pieces[pieces.count - 1].append(record)
        capacity += 1
        return slot
    }

    mutating func remove(_ slot: Int32) {
        self[slot] = JobRecord.vacant
        free.append(slot)
    }
}
