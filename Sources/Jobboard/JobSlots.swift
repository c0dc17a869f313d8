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

    /// Each change of a record asks whether its page is shared with a copy; so what changes together is changed at once.
    mutating func becomeReady() {
        isReady = true
        readyEpoch &+= 1
    }

    /// Gives all timers up; how many there were.
    mutating func disarm() -> Int {
        let armed = (leaseArmed == Timer.none ? 0 : 1) + (delayArmed == Timer.none ? 0 : 1) + (expiryArmed ? 1 : 0)
        leaseArmed = Timer.none
        delayArmed = Timer.none
        expiryArmed = false
        return armed
    }

    var isOnBoard: Bool { job.position != 0 && (job.state == .unclaimed || job.state == .claimed) }
}

/// The jobs, in dense numbered slots that are used again. Slot numbers are private to a process: they must never reach an
/// effect or an order.
struct JobSlots: Sendable {
    private var records = Pages<JobRecord>()
    private var free = Pages<Int32>()

    /// Slots in use or free.
    var capacity: Int32 { Int32(records.count) }
    /// Jobs in slots.
    var count: Int { records.count - free.count }

    subscript(slot: Int32) -> JobRecord {
        @inline(__always) get { records[Int(slot)] }
        @inline(__always) _modify { yield &records[Int(slot)] }
    }

    mutating func insert(_ record: consuming JobRecord) -> Int32 {
        if let slot = free.popLast() {
            self[slot] = record
            return slot
        }
        let slot = capacity
        records.append(record)
        return slot
    }

    mutating func remove(_ slot: Int32) {
        self[slot] = JobRecord.vacant
        free.append(slot)
    }
}
