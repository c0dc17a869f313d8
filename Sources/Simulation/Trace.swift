/// The last things that happened, in words; kept only when a run is repeated to see why it failed.
struct Trace {
    private static let kept = 60

    private(set) var isOn = false
    private var lines: [String] = []
    private var next = 0

    mutating func turnOn() { isOn = true }

    mutating func note(_ time: UInt64, _ line: @autoclosure () -> String) {
        guard isOn else { return }
        let text = "\(time / 1000).\(String(1000 + time % 1000).dropFirst()) ms: " + line()
        if lines.count < Self.kept {
            lines.append(text)
        } else {
            lines[next] = text
        }
        next = (next + 1) % Self.kept
    }

    /// Oldest first.
    var last: [String] { lines.count < Self.kept ? lines : Array(lines[next...] + lines[..<next]) }
}
