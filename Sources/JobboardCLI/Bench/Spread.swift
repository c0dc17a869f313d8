/// One figure of several repetitions.
struct Spread: Sendable, Equatable {
    /// The middle one; of an even number the mean of the two in the middle.
    let median: Double
    let lowest: Double
    let highest: Double

    /// All zero for no figures.
    init(_ figures: [Double]) {
        let sorted = figures.sorted()
        lowest = sorted.first ?? 0
        highest = sorted.last ?? 0
        let middle = sorted.count / 2
        median =
            sorted.isEmpty ? 0 : sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
