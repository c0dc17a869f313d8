/// How far something is, as a line that overwrites itself on a terminal.
struct ProgressBar {
    static let width = 30

    /// The line's text: a bar, the share in percent, and what the caller has to say.
    static func text(done: UInt64, of total: UInt64, _ remark: String) -> String {
        let share = total == 0 ? 1 : min(1, Double(done) / Double(total))
        let filled = Int(share * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        // Rounded down: 100 % is said when all is done and not before.
        let percent = "\(Int(share * 100))"
        return "\(bar) \(String(repeating: " ", count: 3 - percent.count))\(percent)%  \(remark)"
    }

    private let isShown: Bool
    private var lastDrawn: ContinuousClock.Instant?
    private(set) var hasLine = false

    /// A bar on standard error, when that is a terminal.
    init(isShown: Bool = Console.isErrorTerminal) {
        self.isShown = isShown
    }

    /// Draws it anew, at most ten times a second.
    mutating func draw(done: UInt64, of total: UInt64, _ remark: @autoclosure () -> String) {
        draw(Self.text(done: done, of: total, remark()))
    }

    /// Draws a line without a bar, where the total is not known.
    mutating func draw(_ text: @autoclosure () -> String) {
        guard isShown else { return }
        let now = ContinuousClock.now
        if let lastDrawn, now - lastDrawn < .milliseconds(100) { return }
        lastDrawn = now
        hasLine = true
        Console.noteRaw("\r\u{1B}[K" + text())
    }

    /// Takes the line away, so that something else can be said.
    mutating func clear() {
        guard hasLine else { return }
        hasLine = false
        lastDrawn = nil
        Console.noteRaw("\r\u{1B}[K")
    }
}
