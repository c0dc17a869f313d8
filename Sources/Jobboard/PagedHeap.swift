/// A heap with four children a node and the least element at the top, in pages: after a copy (a snapshot's view) a change
/// copies the few pages on its way, and not all.
struct PagedHeap<Element: Comparable & Sendable>: Sendable {
    /// In no order that may be used.
    private(set) var unordered = Pages<Element>()

    init() {}

    init(_ elements: some Sequence<Element>) {
        unordered = Pages(elements)
        guard unordered.count > 1 else { return }
        for index in stride(from: (unordered.count - 2) / 4, through: 0, by: -1) { sink(unordered[index], from: index) }
    }

    var count: Int { unordered.count }
    var min: Element? { unordered.first }

    mutating func insert(_ element: Element) {
        unordered.append(element)
        var index = unordered.count - 1
        guard index > 0 else { return }
        var parent = (index - 1) / 4
        guard element < unordered[parent] else { return }
        repeat {
            unordered[index] = unordered[parent]
            index = parent
            parent = (index - 1) / 4
        } while index > 0 && element < unordered[parent]
        unordered[index] = element
    }

    @discardableResult
    mutating func popMin() -> Element? {
        guard let last = unordered.popLast() else { return nil }
        guard let min = unordered.first else { return last }
        sink(last, from: 0)
        return min
    }

    /// Puts another element in the place of the least one, of which there must be one.
    mutating func replaceMin(with element: Element) {
        sink(element, from: 0)
    }

    /// Puts the element where it belongs at or below `start`, whose own element is given up.
    private mutating func sink(_ element: Element, from start: Int) {
        var index = start
        // The first page holds the upper levels, or all: its way is gone without a check at each step whether it is shared.
        if start == 0 {
            index = unordered.withFirstPage { page in
                var index = 0
                while 4 * index + 4 < page.count {
                    let least = Self.leastChild(of: index, before: page.count) { page[$0] }
                    guard page[least] < element else { break }
                    page[index] = page[least]
                    index = least
                }
                return index
            }
        }
        let count = unordered.count
        while 4 * index + 1 < count {
            let least = Self.leastChild(of: index, before: count) { unordered[$0] }
            guard unordered[least] < element else { break }
            unordered[index] = unordered[least]
            index = least
        }
        unordered[index] = element
    }

    /// The least of the children of a node that has any; `count` is where the elements end.
    @inline(__always)
    private static func leastChild(of index: Int, before count: Int, _ element: (Int) -> Element) -> Int {
        var least = 4 * index + 1
        for child in (least + 1)..<Swift.max(least + 1, Swift.min(least + 4, count)) where element(child) < element(least) {
            least = child
        }
        return least
    }
}
