import Testing

@testable import Jobboard

@Suite struct SplitMapTests {
    /// Few identities and many steps, so that all of them come and go often; most of them meet in the same tables.
    @Test func itHoldsWhatADictionaryHolds() {
        var random = SplitMix64(state: 7)
        let ids = (0..<6000).map { _ in JobID(high: random.next(), low: random.next()) }
        var map = SplitMap()
        var model: [JobID: Int32] = [:]
        var countsAgree = true
        for step in 0..<200_000 {
            // It fills up, empties, and fills up again.
            let adds = random.below(10) < (step / 40_000 % 2 == 0 ? 8 : 2)
            let id = ids[random.below(ids.count)]
            let slot: Int32? = adds ? Int32(random.below(1000)) : nil
            map[id] = slot
            model[id] = slot
            if step % 20_000 == 0 { #expect(ids.allSatisfy { map[$0] == model[$0] }) }
            countsAgree = countsAgree && map.count == model.count
        }
        #expect(ids.allSatisfy { map[$0] == model[$0] } && countsAgree)
    }

    @Test func aCopyKeepsWhatItHad() {
        let id = JobID(high: 1, low: 2)
        var map = SplitMap()
        map[id] = 3
        let copy = map
        map[id] = 4
        map[JobID(high: 1, low: 3)] = 5
        #expect(copy[id] == 3 && copy.count == 1 && map[id] == 4 && map.count == 2)
        map[id] = nil
        #expect(copy[id] == 3 && map[id] == nil && map.count == 1)
    }
}
