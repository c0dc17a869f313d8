import Testing

@testable import Jobboard

/// What the machine keeps its jobs and orders in, beside the plainest thing that does the same, over many pages.
@Suite struct StorageTests {
    @Test func `a heap gives what a sorted array gives`() {
        var random = SplitMix64(state: 1)
        var heap = PagedHeap((0..<500).map { _ in random.below(1000) })
        var sorted = heap.unordered.sorted()
        for step in 0..<6000 {
            let value = random.below(1000)
            let place = sorted.firstIndex { $0 >= value } ?? sorted.count
            switch random.below(step < 3000 ? 5 : 3) {
            case 0, 1:
                #expect(heap.popMin() == sorted.first)
                sorted = Array(sorted.dropFirst())
            case 2 where !sorted.isEmpty:
                heap.replaceMin(with: value)
                sorted.removeFirst()
                sorted.insert(value, at: sorted.firstIndex { $0 >= value } ?? sorted.count)
            default:
                heap.insert(value)
                sorted.insert(value, at: place)
            }
            #expect(heap.min == sorted.first && heap.count == sorted.count)
        }
        #expect(heap.unordered.sorted() == sorted)
    }

    @Test func `a queue gives what an array gives`() {
        var random = SplitMix64(state: 2)
        var queue = PagedQueue<Int>()
        var array: [Int] = []
        for step in 0..<8000 {
            if random.chance(step < 4000 ? 60 : 35) {
                queue.append(step)
                array.append(step)
            } else {
                #expect(queue.popFirst() == array.first)
                array = Array(array.dropFirst())
            }
            #expect(queue.first == array.first && queue.last == array.last && queue.count == array.count)
        }
        for step in 0..<1000 { queue.append(step) }
        var all: [Int] = []
        queue.forEach { all.append($0) }
        #expect(all == array + Array(0..<1000))
    }

    @Test func `pages grow and shrink at the end, and a copy stays as it was`() {
        var pages = Pages(0..<300)
        let copy = pages
        for value in (200..<300).reversed() { #expect(pages.popLast() == value) }
        pages[5] = -5
        pages.append(7)
        #expect(Array(copy) == Array(0..<300))
        #expect(Array(pages) == Array(0..<5) + [-5] + Array(6..<200) + [7])
        while pages.popLast() != nil {}
        #expect(pages.isEmpty && pages.popLast() == nil)
    }

    /// Jobs go to the trash in any order and come out of it in any order.
    @Test func `a posting order lists in order whatever came and went`() {
        var random = SplitMix64(state: 3)
        var slots = JobSlots()
        var order = PostingOrder(.trash)
        for position in 1...3000 as ClosedRange<UInt64> {
            let job = Job(
                id: jobID(position), board: "b", name: "n", details: [], priority: .normal,
                createdOn: Timestamp(milliseconds: 0), position: position, lastModified: Timestamp(milliseconds: 0))
            _ = slots.insert(JobRecord(job: job, content: 0, board: 0))
        }
        func listed(after position: UInt64 = 0) -> [UInt64] {
            var place = order.place(after: position)
            var found: [UInt64] = []
            while let entry = order.validEntry(from: &place, slots) {
                found.append(entry.position)
                place.moveOn()
            }
            return found
        }
        var trashed: Set<UInt64> = []
        for (step, slot) in (0..<3000 as Range<Int32>).shuffled(using: &random).enumerated() {
            slots[slot].job.state = .trashed
            order.insert(position: UInt64(slot) + 1, slot: slot)
            trashed.insert(UInt64(slot) + 1)
            if random.chance(40), let gone = trashed.sorted().randomElement(using: &random) {
                slots[Int32(gone - 1)].job.state = .unclaimed
                trashed.remove(gone)
                order.left(slots)
            }
            #expect(order.live == trashed.count)
            guard step % 100 == 0 else { continue }
            let middle = UInt64(random.below(3000))
            #expect(listed() == trashed.sorted() && listed(after: middle) == trashed.sorted().filter { $0 > middle })
        }
        for gone in trashed.sorted().shuffled(using: &random) {
            slots[Int32(gone - 1)].job.state = .complete
            order.left(slots)
        }
        #expect(order.live == 0 && listed().isEmpty && order.count <= 64)
    }

    @Test func `keys are told apart by board and by text, however the text is written`() {
        var keys = KeyMap()
        keys[0, "caf\u{e9}"] = 1
        keys[1, "caf\u{e9}"] = 2
        #expect(keys[0, "cafe\u{301}"] == 1 && keys[1, "cafe\u{301}"] == 2 && keys[0, "cafe"] == nil)
        keys[0, "cafe\u{301}"] = 3
        #expect(keys[0, "caf\u{e9}"] == 3 && keys.count == 2)
        keys[0, "caf\u{e9}"] = nil
        #expect(keys[0, "cafe\u{301}"] == nil && keys.count == 1)
    }
}
