/// An array in pages of 128 elements, so that the first write after a copy (a snapshot's view) copies one page and the list
/// of pages, and not all.
struct Pages<Element: Sendable>: Sendable, RandomAccessCollection {
    private static var shift: Int { 7 }
    private static var mask: Int { 127 }

    /// All full but the last one, which is not empty.
    private var pages: ContiguousArray<ContiguousArray<Element>> = []
    private(set) var count = 0

    init() {}

    init(_ elements: some Sequence<Element>) {
        for element in elements { append(element) }
    }

    var startIndex: Int { 0 }
    var endIndex: Int { count }

    /// Not `_read`: Swift 6.3 reads fields of a large yielded struct after the end of the coroutine, when it is freed.
    subscript(index: Int) -> Element {
        @inline(__always) get { pages[index >> Self.shift][index & Self.mask] }
        @inline(__always) _modify { yield &pages[index >> Self.shift][index & Self.mask] }
    }

    mutating func append(_ element: consuming Element) {
        if count & Self.mask == 0 { pages.append([]) }
        pages[pages.count - 1].append(element)
        count += 1
    }

    /// The first page, to be changed in place. There must be one.
    mutating func withFirstPage<Result>(_ body: (UnsafeMutableBufferPointer<Element>) -> Result) -> Result {
        pages[0].withUnsafeMutableBufferPointer { body($0) }
    }

    mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        let element = pages[pages.count - 1].removeLast()
        count -= 1
        if count & Self.mask == 0 { pages.removeLast() }
        return element
    }
}
