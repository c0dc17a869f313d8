import Jobboard
import Testing

@testable import JobboardCLI

@Suite struct TextTableTests {
    @Test func columnsAreAlignedAndLinesHaveNoSpaceAtTheirEnd() {
        var table = TextTable([.init("NAME"), .init("N", .right), .init("WHO")])
        table.add(["resize", "7", "me"])
        table.add(["a", "1200", ""])
        #expect(
            table.text == """
                NAME       N  WHO
                resize     7  me
                a       1200

                """)
    }

    @Test func whatWouldMoveTheCursorIsReplaced() {
        #expect(TextTable.printable("a\u{1B}[2Jb\n\u{202E}c") == "a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}c")
        #expect(Console.printable("a\u{1B}[2Jb\n\u{202E}c") == "a [2Jb  c")
    }

    @Test(arguments: ["\u{115F}", "\u{1160}", "\u{3164}", "\u{FFA0}", "\u{34F}", "\u{17B4}", "\u{200B}"])
    func `a filler that nobody sees is replaced`(filler: String) {
        #expect(TextTable.printable("a\(filler)b") == "a\u{FFFD}b")
        #expect(Console.printable("a\(filler)b") == "a b")
    }

    @Test func aLongCellIsCut() {
        let exact = String(repeating: "x", count: TextTable.widest)
        #expect(TextTable.printable(exact) == exact)
        #expect(TextTable.printable(exact + "y") == exact.dropLast() + "…")
    }
}

@Suite struct JobRowTests {
    private static let now = Timestamp(milliseconds: 1_000_000)

    private static func job(_ change: (inout Job) -> Void = { _ in }) -> Job {
        var job = Job(
            id: JobID(high: 0, low: 1), board: "b", name: "n", details: [], priority: .high,
            createdOn: Timestamp(milliseconds: 940_000), position: 1, lastModified: now)
        change(&job)
        return job
    }

    @Test func aFreeJobShowsItsAge() {
        #expect(
            JobRow.cells(of: Self.job(), now: Self.now)
                == ["00000000-0000-0000-0000-000000000001", "n", "UNCLAIMED", "HIGH", "-", "-", "1m old"])
    }

    @Test func aClaimedJobShowsItsOwnerItsFenceAndWhatIsLeftOfTheLease() {
        let job = Self.job {
            $0.state = .claimed
            $0.owner = "w1"
            $0.fence = 42
            $0.leaseUntil = Timestamp(milliseconds: 1_030_000)
        }
        #expect(Array(JobRow.cells(of: job, now: Self.now)[2...]) == ["CLAIMED", "HIGH", "w1", "42", "30s left"])
        #expect(JobRow.time(of: job, now: Timestamp(milliseconds: 1_030_000)) == "lease over")
    }

    @Test func aDelayedJobShowsWhenItCanBeClaimed() {
        let job = Self.job { $0.changeRare { $0.notBefore = Timestamp(milliseconds: 1_005_000) } }
        #expect(JobRow.time(of: job, now: Self.now) == "in 5s")
        #expect(JobRow.time(of: job, now: Timestamp(milliseconds: 1_005_000)) == "1m 5s old")
    }
}

@Suite struct ProgressBarTests {
    @Test(arguments: [(0, 0, 0), (1, 33, 10), (2, 66, 20), (3, 100, 30), (4, 100, 30)] as [(UInt64, Int, Int)])
    func theBarIsAsLongAsTheShare(done: UInt64, percent: Int, filled: Int) {
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: ProgressBar.width - filled)
        let padding = String(repeating: " ", count: 3 - "\(percent)".count)
        #expect(ProgressBar.text(done: done, of: 3, "x") == "\(bar) \(padding)\(percent)%  x")
    }

    @Test func almostAllIsNotAll() {
        #expect(ProgressBar.text(done: 9999, of: 10_000, "").contains("░  99%"))
    }

    @Test func nothingOfNothingIsAll() {
        #expect(ProgressBar.text(done: 0, of: 0, "").contains("100%"))
    }
}

@Suite struct FiguresTests {
    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1234, "-1,234")])
    func digitsAreGroupedByThree(number: Int, text: String) {
        #expect(Figures.grouped(number) == text)
    }

    @Test(
        arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (4_404_019, "4.2 MiB"), (.max, "16.0 EiB")]
            as [(UInt64, String)])
    func bytesGetAUnit(count: UInt64, text: String) {
        #expect(Figures.bytes(count) == text)
    }

    @Test(
        arguments: [(1.25, 1, "1.3"), (0.05, 2, "0.05"), (2, 0, "2"), (-0.001, 2, "0.00"), (-1.5, 1, "-1.5")]
            as [(Double, Int, String)])
    func digitsBehindThePointAreAsManyAsAsked(value: Double, digits: Int, text: String) {
        #expect(Figures.fixed(value, digits) == text)
    }
}
