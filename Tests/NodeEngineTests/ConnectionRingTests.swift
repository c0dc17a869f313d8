import Testing

@testable import NodeEngine

@Suite struct ConnectionRingTests {
    private func ring(_ elements: (connection: UInt64, element: Int)...) -> ConnectionRing<Int> {
        var ring = ConnectionRing<Int>()
        for (connection, element) in elements { ring.append(element, of: connection) }
        return ring
    }

    private func drain(_ ring: inout ConnectionRing<Int>, blocked: Set<UInt64> = []) -> [Int] {
        var drained: [Int] = []
        while let element = ring.next(isBlocked: { blocked.contains($0) }) { drained.append(element) }
        return drained
    }

    @Test func `connections take turns, and each keeps its order`() {
        var ring = ring((1, 10), (1, 11), (1, 12), (2, 20), (3, 30), (3, 31))
        #expect(drain(&ring) == [10, 20, 30, 11, 31, 12])
        #expect(ring.isEmpty && ring.count == 0)
    }

    @Test func `a blocked connection is asked for once, and comes back with everything when it reads again`() {
        var ring = ConnectionRing<Int>()
        for element in 0..<1000 { ring.append(element, of: 7) }
        ring.append(-1, of: 8)
        var asked: [UInt64] = []
        let isBlocked = { (connection: UInt64) in
            asked.append(connection)
            return connection == 7
        }
        while let element = ring.next(isBlocked: isBlocked) { #expect(element == -1) }
        #expect(asked == [7, 8])
        #expect(ring.isEmpty && ring.count == 1000)
        #expect(ring.next(isBlocked: { _ in false }) == nil)
        ring.unblocked(7)
        ring.unblocked(7)
        #expect(drain(&ring) == Array(0..<1000))
    }

    @Test func `what a closed connection waited for is handed back and never comes out`() {
        var ring = ring((1, 10), (2, 20), (1, 11))
        #expect(ring.close(1) == [10, 11])
        #expect(ring.close(1).isEmpty)
        #expect(ring.count == 1)
        #expect(drain(&ring) == [20])
    }

    @Test func `elements that are over are removed wherever they are`() {
        var ring = ring((1, 10), (2, 20), (1, 11))
        ring.removeAll { $0 != 11 }
        #expect(ring.all == [11] && ring.count == 1)
        #expect(drain(&ring) == [11])
        #expect(!ring.has(1) && !ring.has(2))
    }
}
