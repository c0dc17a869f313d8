import Jobboard
import JobboardClient
import Testing
import WireFormat

@Suite struct WatchStateMachineTests {
    private let now = Moment(nanoseconds: 0)
    private let hello = ClientHello(cluster: "test", node: 1, leader: nil)

    private func event(_ position: UInt64) -> Event {
        Event(
            position: position, kind: .posted, time: Timestamp(milliseconds: 1), board: "b", job: JobID(high: 0, low: position),
            name: "n")
    }

    private func machine(board: String? = nil, from: UInt64?) -> WatchStateMachine {
        WatchStateMachine(
            nodes: ["a:1", "b:1"], board: board, from: from, cluster: "", greeting: .milliseconds(1000), seed: 3)
    }

    /// Starts or resumes on a connection; returns the request it sends.
    private func ask(_ machine: inout WatchStateMachine, connection: UInt64) -> [WatchStateMachine.Action] {
        _ = machine.connected(connection, now: now)
        return machine.greeted(hello, on: connection, now: now)
    }

    @Test func `after a lost connection it goes on from the first event not seen`() {
        var watch = machine(from: 5)
        #expect(watch.start().count == 1)
        #expect(ask(&watch, connection: 1) == [.send(.watch(board: nil, from: 5))])
        #expect(watch.received(.watching(from: 5), on: 1, now: now) == [])
        #expect(watch.received(.events([event(5), event(6)]), on: 1, now: now) == [.deliver([event(5), event(6)])])
        _ = watch.disconnected(1, now: now)
        #expect(ask(&watch, connection: 2) == [.send(.watch(board: nil, from: 7))])
        _ = watch.received(.watching(from: 7), on: 2, now: now)
        // A node that repeats itself does not make us repeat anything.
        #expect(watch.received(.events([event(6), event(7)]), on: 2, now: now) == [.deliver([event(7)])])
    }

    @Test func `a watch from now on remembers where now was although nothing happened yet`() {
        var watch = machine(board: "b", from: nil)
        _ = watch.start()
        #expect(ask(&watch, connection: 1) == [.send(.watch(board: "b", from: nil))])
        _ = watch.received(.watching(from: 40), on: 1, now: now)
        _ = watch.disconnected(1, now: now)
        #expect(ask(&watch, connection: 2) == [.send(.watch(board: "b", from: 40))])
    }

    @Test func `a gap in the events of all boards is not passed on but asked for elsewhere`() {
        var watch = machine(from: 1)
        _ = watch.start()
        _ = ask(&watch, connection: 1)
        _ = watch.received(.watching(from: 1), on: 1, now: now)
        let actions = watch.received(.events([event(1), event(3)]), on: 1, now: now)
        #expect(actions.prefix(2) == [.deliver([event(1)]), .close(connection: 1)])
        #expect(ask(&watch, connection: 2) == [.send(.watch(board: nil, from: 2))])
    }

    @Test func `positions of one board may have gaps`() {
        var watch = machine(board: "b", from: 1)
        _ = watch.start()
        _ = ask(&watch, connection: 1)
        _ = watch.received(.watching(from: 1), on: 1, now: now)
        #expect(watch.received(.events([event(1), event(9)]), on: 1, now: now) == [.deliver([event(1), event(9)])])
    }

    @Test func `positions that are gone end the watch`() {
        for answer in [Response.failed(JobboardError(.compacted, "from 9 on")), .watching(from: 9)] {
            var watch = machine(from: 5)
            _ = watch.start()
            _ = ask(&watch, connection: 1)
            let actions = watch.received(answer, on: 1, now: now)
            guard case .finish(let error) = actions.last else { return #expect(Bool(false), "still going") }
            #expect(error.code == .compacted)
            #expect(watch.disconnected(1, now: now) == [])
        }
    }

    @Test func `a node that has no time makes it try the next, and pause when all have been tried`() {
        var watch = machine(from: 5)
        _ = watch.start()
        for connection in UInt64(1)...3 {
            _ = ask(&watch, connection: connection)
            let actions = watch.received(.failed(JobboardError(.overloaded, "busy")), on: connection, now: now)
            #expect(actions.count == (connection < 3 ? 2 : 1))
        }
        #expect(watch.nextWakeup < .never)
        #expect(watch.wakeUp(now: watch.nextWakeup).count == 1)
    }
}
