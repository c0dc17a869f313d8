/// A job that can be claimed, as those that wait for one see it.
package struct ReadyJob: Sendable {
    /// Private to this process: it must not reach an effect or an order.
    package let slot: Int32
    package let board: String
    package let name: String
    package let priority: Priority
}

/// Which jobs became claimable in a block, in the order in which they did: posted, given back, or because a delay or a lease
/// ended. The last two have no event of their own, so this, and not the events, says which requests to wake.
extension BoardMachine {
    /// The jobs that became ready in the current block and still are.
    package var newlyReady: [ReadyJob] { newlyReadySlots.compactMap { readyJob($0) } }

    package var hasNewlyReady: Bool { !newlyReadySlots.isEmpty }

    /// The job in a slot; nil when none is there that can be claimed now. A slot may hold another job than before.
    package func readyJob(_ slot: Int32) -> ReadyJob? {
        guard slots[slot].isReady else { return nil }
        let job = slots[slot].job
        return ReadyJob(slot: slot, board: job.board, name: job.name, priority: job.priority)
    }

    /// A block begins. The storage is kept unless an unusually large block has filled it.
    mutating func forgetNewlyReady() {
        guard !newlyReadySlots.isEmpty else { return }
        newlyReadySlots.removeAll(keepingCapacity: newlyReadySlots.count <= 8192)
    }
}
