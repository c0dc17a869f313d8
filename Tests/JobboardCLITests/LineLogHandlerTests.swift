import Jobboard
import Logging
import Testing

@testable import JobboardCLI

/// Lines of log hold what strangers have sent.
@Suite struct LineLogHandlerTests {
    private static func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> String {
        LineLogHandler.line(Timestamp(milliseconds: 0), .warning, message, metadata)
    }

    @Test(arguments: [
        ("\u{1b}[2J", "\\u001b[2J"), ("bell\u{7}", "bell\\u0007"), ("\u{7f}", "\\u007f"), ("\u{9b}31m", "\\u009b31m"),
        ("\u{202e}desrever", "\\u202edesrever"), ("\u{e0041}", "\\udb40\\udc41"),
        ("\u{115f}\u{1160}", "\\u115f\\u1160"), ("\u{3164}", "\\u3164"), ("\u{ffa0}", "\\uffa0"), ("\u{34f}", "\\u034f"),
    ])
    func `what moves a cursor, turns text around or is not seen comes as an escape`(sent: String, shown: String) {
        #expect(Self.line(sent).hasSuffix(" warning " + shown))
        #expect(Self.line("m", ["reason": "\(sent)"]).unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7f })
    }

    @Test func `a message stays one line, and a field stays one word or is quoted`() {
        #expect(Self.line("one\ntwo\r\nthree").hasSuffix(" warning one two three"))
        let line = Self.line("m", ["a": "word", "b": "two words", "c": "x\ny=1", "d": ""])
        #expect(line.hasSuffix(#" m a=word b="two words" c="x\ny=1" d="""#))
        #expect(!line.contains { $0.isNewline })
    }

    @Test func `a line is cut off after 8 KiB, whatever its escapes take`() {
        for filler in ["x", "\u{1b}"] {
            let line = Self.line("m", ["reason": "\(String(repeating: filler, count: 100_000))"])
            #expect(line.hasSuffix("…"))
            #expect(line.utf8.count < (8 << 10) + 16)
        }
    }
}
