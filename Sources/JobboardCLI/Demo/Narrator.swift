/// Tells what happens and when, above a progress bar.
struct Narrator {
    private let start = ContinuousClock.now
    private var bar = ProgressBar()

    /// Seconds since the demo began, of now or of another moment.
    func seconds(_ moment: ContinuousClock.Instant = .now) -> String {
        Figures.fixed((moment - start).inSeconds, 1)
    }

    mutating func tell(_ text: String) throws(CommandFailure) {
        bar.clear()
        let time = seconds()
        try Console.write(String(repeating: " ", count: max(0, 6 - time.count)) + time + " s  " + text + "\n")
    }

    mutating func show(_ done: Int, of total: Int, _ remark: @autoclosure () -> String) {
        bar.draw(done: UInt64(done), of: UInt64(total), remark())
    }

    mutating func clear() {
        bar.clear()
    }
}
