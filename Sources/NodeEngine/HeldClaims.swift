import DequeModule
import Jobboard
import WireFormat

/// Claims by name that this leader keeps back while it builds the index of their board's names: what it would answer from
/// half an index could be wrong. They go on, first come, first served, when the index is built.
///
/// Before that, the first claim by name of a board goes through the log, since it gives every replica's board an index; the
/// others wait for it here, too.
struct HeldClaims: Sendable {
    private var queue: Deque<ClientReference> = []
    /// Only looked up, never walked.
    private var writes: [ClientReference: Write] = [:]
    /// Boards whose first claim by name is under way. Only looked up, never walked.
    private var firstUnderWay: Set<String> = []

    var count: Int { writes.count }
    var isEmpty: Bool { writes.isEmpty }

    /// Whether a claim can't be judged yet.
    func mustHold(_ want: ClaimNext, in machine: borrowing BoardMachine) -> Bool {
        guard want.name != nil else { return false }
        return machine.isBuildingNames(board: want.board) || firstUnderWay.contains(want.board) && machine.needsNameIndex(want)
    }

    mutating func hold(_ write: Write) {
        if writes.updateValue(write, forKey: write.client) == nil { queue.append(write.client) }
    }

    /// Takes all out that can be judged now, in the order in which they came.
    mutating func removeReleased(in machine: borrowing BoardMachine) -> [Write] {
        var released: [Write] = []
        var kept: Deque<ClientReference> = []
        for client in queue {
            guard let write = writes[client] else { continue }
            if case .claimNext(let want) = write.call.command, mustHold(want, in: machine) {
                kept.append(client)
            } else {
                released.append(write)
                writes[client] = nil
            }
        }
        queue = kept
        return released
    }

    mutating func remove(_ client: ClientReference) -> Write? { writes.removeValue(forKey: client) }

    mutating func removeAll() -> [Write] {
        let all = queue.compactMap { writes[$0] }
        (queue, writes, firstUnderWay) = ([], [:], [])
        return all
    }

    /// A claim goes into the log.
    mutating func proposed(_ want: ClaimNext, in machine: borrowing BoardMachine) {
        if machine.needsNameIndex(want) { firstUnderWay.insert(want.board) }
    }

    /// A claim has come back out of the log; true when it was the first one by name of its board.
    mutating func settled(_ want: ClaimNext) -> Bool {
        guard want.name != nil, !firstUnderWay.isEmpty else { return false }
        return firstUnderWay.remove(want.board) != nil
    }
}

extension Engine {
    /// Keeps a claim back that can't be judged yet; false when it can, or is refused anyway.
    mutating func holds(_ write: Write, _ want: ClaimNext, _ effects: inout [EngineEffect]) -> Bool {
        guard want.name != nil, heldClaims.mustHold(want, in: state.machine) else { return false }
        guard state.machine.validate(write.call.command) == nil else { return false }
        if heldClaims.count < settings.heldClaims {
            heldClaims.hold(write)
        } else {
            let error = JobboardError(.overloaded, "too many claims wait for an index of names; try again in a moment")
            refuse(write.client, error, over: .heldClaims, &effects)
        }
        return true
    }

    /// A slice a turn; then what was kept back for it goes on.
    mutating func buildNameIndexes(_ effects: inout [EngineEffect]) {
        state.buildNameIndexes(records: settings.nameRecords)
        guard !heldClaims.isEmpty else { return }
        for write in heldClaims.removeReleased(in: state.machine) where connections.contains(write.client.connection) {
            takeWrite(write, &effects)
        }
    }
}
