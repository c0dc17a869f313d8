import Jobboard
import WireFormat

// What watches are sent. Their positions are `Watches`', the events the state's history.
extension Engine {
    /// Events that travel in one frame and that a watch is sent in one turn, in bytes.
    private static let sliceBytes = 256 << 10
    /// Events looked at for one slice.
    private static let sliceRecords = 2000

    mutating func startWatch(
        _ board: String?, _ position: UInt64?, _ client: ClientReference, _ effects: inout [EngineEffect]
    ) {
        if let refusal = refusal(ofBoard: board) { return effects.append(.reply(client, .failed(refusal))) }
        let next = state.history.nextPosition
        let from = position ?? next
        guard from <= next else {
            let error = JobboardError(.invalidArgument, "position \(from) is in the future; the next event has \(next)")
            return effects.append(.reply(client, .failed(error)))
        }
        guard from >= state.history.oldest else {
            let error = JobboardError(
                .compacted, "position \(from) is no longer kept; the oldest is \(state.history.oldest)")
            return effects.append(.reply(client, .failed(error)))
        }
        guard connections.contains(client.connection), !tooManyParked(client, bytes: Watches.bytes(of: board), &effects) else {
            return
        }
        watches.start(client, board: board, from: from < next ? from : nil)
        effects.append(.reply(client, .watching(from: from)))
    }

    /// Sends an entry's events to the watches that have caught up and that they concern. Past the turn's budget, and where a
    /// client does not read, a watch falls behind.
    mutating func tellWatches(_ events: [Event], _ effects: inout [EngineEffect]) {
        guard !watches.isEmpty, let first = events.first else { return }
        tellWatches(of: nil, events, at: first.position, &effects)
        var boards: [String: [Event]] = [:]
        var order: [String] = []
        for event in events where watches.hasCaughtUp(on: event.board) {
            if boards[event.board] == nil { order.append(event.board) }
            boards[event.board, default: []].append(event)
        }
        for board in order { tellWatches(of: board, boards[board]!, at: first.position, &effects) }
    }

    private mutating func tellWatches(
        of board: String?, _ events: [Event], at position: UInt64, _ effects: inout [EngineEffect]
    ) {
        guard watches.hasCaughtUp(on: board) else { return }
        let bytes = events.reduce(0) { $0 + $1.byteCount }
        var left = bytes <= Self.sliceBytes ? turn.bytes : 0
        let clients = watches.clientsToTell(on: board, at: position) { [blocked, connections] in
            blocked.contains($0) || !connections.contains($0)
        } mayBeSent: {
            defer { left -= bytes }
            return left > 0
        }
        turn.bytes -= bytes * clients.count
        for client in clients { effects.append(.reply(client, .events(events))) }
    }

    /// Sends a slice to each watch that is behind, as far as the turn's budget goes.
    mutating func advanceWatches(_ effects: inout [EngineEffect]) {
        // Each once: one that is still behind afterwards has its next slice in the next turn.
        for _ in 0..<watches.behindCount {
            guard turn.mayAnswer else { return }
            let slice = watches.nextBehind { [blocked, connections] in blocked.contains($0) || !connections.contains($0) }
            guard let slice else { return }
            send(slice, &effects)
        }
    }

    private mutating func send(_ slice: Watches.Slice, _ effects: inout [EngineEffect]) {
        guard slice.from >= state.history.oldest else {
            let error = JobboardError(
                .compacted, "position \(slice.from) is no longer kept; the oldest is \(state.history.oldest)")
            effects.append(.reply(slice.client, .failed(error)))
            _ = watches.cancel(slice.client)
            return
        }
        var events: [Event] = []
        var (next, bytes) = (slice.from, 0)
        let end = min(state.history.nextPosition, slice.from + UInt64(Self.sliceRecords))
        while next < end, bytes < Self.sliceBytes {
            let event = state.history[next]
            next += 1
            guard slice.board == nil || event.board == slice.board else { continue }
            events.append(event)
            bytes += event.byteCount
        }
        turn.bytes -= bytes + 64
        turn.records -= Int(next - slice.from)
        if !events.isEmpty { effects.append(.reply(slice.client, .events(events))) }
        watches.sent(slice.client, upTo: next < state.history.nextPosition ? next : nil)
    }
}
