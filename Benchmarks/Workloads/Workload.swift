/// One thing that is measured piece by piece: the same for times and for instruction counts.
package struct Workload: Sendable {
    package let name: String
    /// Makes everything ready, which is not measured, and gives what is: it does the work so many times.
    ///
    /// What it gives holds the loop itself, so that no call goes through a closure for each time.
    package let prepare: @Sendable () throws -> (_ times: Int) throws -> Void

    package init(_ name: String, prepare: @escaping @Sendable () throws -> (_ times: Int) throws -> Void) {
        self.name = name
        self.prepare = prepare
    }

    /// In the order of tables. A name is what `Benchmarks/Thresholds` knows it by.
    package static let all = codecs + boards + replicas + blocks + nodes
}

/// Keeps a result that nobody looks at from being optimised away.
@inline(never)
package func keep<Value>(_ value: Value) {}
