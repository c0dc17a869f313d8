/// First in, first out, in pages of at most 256 elements, so that the first write after a copy (a snapshot's view) copies
/// one page and the list of pages, and not all.
struct PagedQueue<Element: Sendable>: Sendable {
    private static var pageLength: Int { 256 }

    /// None is empty, unless it is the only one.
    private var pages: ContiguousArray<ContiguousArray<Element>> = []
    /// Elements of the first page that were taken out.
    private var taken = 0
    private(set) var count = 0

    var first: Element? { count > 0 ? pages[0][taken] : nil }
    var last: Element? { count > 0 ? pages[pages.count - 1].last : nil }

    mutating func append(_ element: Element) {
        if pages.isEmpty || pages[pages.count - 1].count == Self.pageLength { pages.append([]) }
        pages[pages.count - 1].append(element)
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = pages[0][taken]
        taken += 1
        count -= 1
        if taken == pages[0].count {
            if pages.count > 1 { pages.removeFirst() } else { pages[0].removeAll(keepingCapacity: true) }
            taken = 0
        }
        return element
    }

    /// Calls `body` with each element, in order.
    func forEach(_ body: (Element) -> Void) {
        for page in pages.indices {
            for element in pages[page][(page == 0 ? taken : 0)...] { body(element) }
        }
    }
}
