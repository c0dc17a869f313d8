import Testing

@testable import NodeServer

@Suite struct ClientTurnsTests {
    @Test func `the request that leads past the limit is taken, and the next round has room again`() {
        var turns = ClientTurns<Int>(limit: 1000)
        turns.add(bytes: 999)
        #expect(turns.takesRequests)
        turns.add(bytes: 4 << 20)
        #expect(!turns.takesRequests)
        turns.roundEnded()
        #expect(turns.takesRequests)
    }

    @Test func `those that waited first go on first, as long as there is room`() {
        var turns = ClientTurns<Int>(limit: 100)
        turns.add(bytes: 100)
        for client in 1...3 { turns.wait(client) }
        #expect(turns.next() == nil)
        turns.roundEnded()
        #expect(turns.next() == 1)
        turns.add(bytes: 60)
        #expect(turns.next() == 2)
        turns.add(bytes: 60)
        // One that is still not done waits behind the others.
        turns.wait(2)
        #expect(turns.next() == nil && turns.hasWaiting)
        turns.roundEnded()
        #expect(turns.next() == 3)
        #expect(turns.next() == 2)
        #expect(turns.next() == nil && !turns.hasWaiting)
    }

    @Test func `nobody who comes later passes those that wait`() {
        var turns = ClientTurns<Int>(limit: 100)
        turns.add(bytes: 100)
        turns.wait(1)
        turns.roundEnded()
        #expect(!turns.takesRequests)
        #expect(turns.next() == 1)
        #expect(turns.takesRequests)
        #expect(turns.next() == nil)
        #expect(turns.takesRequests)
    }
}
