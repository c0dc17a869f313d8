import Foundation
import NodeEngine
import Testing
import WireFormat

@testable import NodeServer

@Suite struct LogQueueTests {
    /// A pipe, small enough that a test fills it.
    private final class SmallPipe {
        let reading: Int32
        let writing: Int32

        init() throws {
            var files: [Int32] = [0, 0]
            try #require(pipe(&files) == 0)
            (reading, writing) = (files[0], files[1])
            // F_SETPIPE_SZ, which the module map leaves out.
            _ = fcntl(writing, 1031, 4096)
        }

        deinit {
            close(reading)
        }

        /// What is there until the writer closes, or until `isEnough`.
        func read(until isEnough: (String) -> Bool) -> String {
            var text: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 4096)
            while !isEnough(String(decoding: text, as: UTF8.self)) {
                var ready = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
                guard poll(&ready, 1, 10_000) > 0 else { break }
                let count = Foundation.read(reading, &piece, piece.count)
                guard count > 0 else { break }
                text += piece[..<count]
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    private static func told(in text: String) -> UInt64 {
        text.split(separator: "\n").filter { $0.hasSuffix(" log lines were dropped") }
            .compactMap { UInt64($0.prefix { $0 != " " }) }.reduce(0, +)
    }

    private func budgets(lines: Int = 100, bytes: Int = 1 << 20) -> Budgets {
        var budgets = Budgets()
        budgets[.logLines] = lines
        budgets[.logBytes] = bytes
        return budgets
    }

    @Test func `lines come out in order, and a flush waits for them`() throws {
        let pipe = try SmallPipe()
        let queue = LogQueue(file: pipe.writing)
        defer { queue.end() }
        for number in 0..<50 { queue.add("line \(number)") }
        queue.flush(within: 10)
        #expect(queue.reading.used == 0 && queue.reading.refused == 0)
        let text = pipe.read { $0.hasSuffix("line 49\n") }
        #expect(text == (0..<50).map { "line \($0)\n" }.joined())
    }

    @Test func `a reader that stands still costs lines and no time, and is told how many`() throws {
        let pipe = try SmallPipe()
        let queue = LogQueue(file: pipe.writing, budgets: budgets())
        defer { queue.end() }
        let line = String(repeating: "x", count: 999)
        let start = ContinuousClock.now
        // The pipe takes four or five of them, the queue a hundred.
        for _ in 0..<10_000 { queue.add(line) }
        queue.flush(within: 0.2)
        #expect(ContinuousClock.now - start < .seconds(5))
        let reading = queue.reading
        #expect(reading.used <= 100 && reading.limit == 100)
        #expect(reading.refused > 9000)
        // Told once for each time that the thread found room.
        let text = pipe.read { Self.told(in: $0) >= reading.refused }
        #expect(Self.told(in: text) == reading.refused)
        queue.add("afterwards")
        #expect(pipe.read { $0.hasSuffix("\n") } == "afterwards\n")
    }

    @Test func `lines are bounded in bytes too`() throws {
        let pipe = try SmallPipe()
        let queue = LogQueue(file: pipe.writing, budgets: budgets(lines: 1000, bytes: 20_000))
        defer { queue.end() }
        for _ in 0..<100 { queue.add(String(repeating: "x", count: 999)) }
        #expect(queue.reading.used <= 20)
        #expect(queue.reading.refused >= 70)
        _ = pipe.read { $0.contains("dropped\n") }
    }

    @Test func `a file that is closed swallows lines`() throws {
        signal(SIGPIPE, SIG_IGN)
        for file in [Int32(-1), try closedPipe()] {
            let queue = LogQueue(file: file)
            for _ in 0..<10 { queue.add("a line") }
            queue.flush(within: 10)
            #expect(queue.reading.used == 0)
            queue.end()
        }
    }

    /// The writing end of a pipe that nobody reads.
    private func closedPipe() throws -> Int32 {
        var files: [Int32] = [0, 0]
        try #require(pipe(&files) == 0)
        close(files[0])
        return files[1]
    }
}

@Suite struct StrangerLogTests {
    @Test func `a few lines come at once, then one a second with the number of those kept back`() {
        var limit = LineLimit(atOnce: 5)
        var taken: [UInt64: UInt64] = [:]
        for now in stride(from: UInt64(10_000), to: 13_500, by: 10) {
            if let suppressed = limit.take(at: now) { taken[now] = suppressed }
        }
        #expect(
            taken == [10_000: 0, 10_010: 0, 10_020: 0, 10_030: 0, 10_040: 0, 11_000: 95, 12_000: 99, 13_000: 99])
    }

    @Test func `after a silence a few come at once again`() {
        var limit = LineLimit(atOnce: 5)
        for _ in 0..<100 { _ = limit.take(at: 1000) }
        let later = (0..<100).compactMap { _ in limit.take(at: 60_000) }
        #expect(later == [95, 0, 0, 0, 0])
    }

    @Test func `fields are cut off between characters`() {
        #expect(StrangerLog.cut("short", to: 200) == "short")
        #expect(StrangerLog.cut("abcdef", to: 3) == "abc…")
        #expect(StrangerLog.cut("aäö", to: 4) == "aä…")
    }
}
