import ArgumentParser
import Testing

@testable import JobboardCLI

@Suite struct FailoverBenchTests {
    @Test func theClockKeepsTheLongestGapSinceItWasToldToBegin() {
        let start = ContinuousClock.now
        let clock = FailoverClock(now: start)
        for milliseconds in [1, 90, 92] { clock.tick(now: start + .milliseconds(milliseconds)) }
        #expect(clock.acknowledged == 3 && clock.longest(now: start + .milliseconds(93)) == .milliseconds(89))
        clock.begin()
        // One that began before counts whole: its end came later.
        clock.tick(now: start + .milliseconds(122))
        clock.tick(now: start + .milliseconds(125))
        #expect(clock.longest(now: start + .milliseconds(126)) == .milliseconds(30))
        #expect(clock.longest(now: start + .milliseconds(200)) == .milliseconds(75))
    }

    @Test func theReportHasMediansRangesAndEachKill() {
        let falls = [30, 20, 70].map { FailoverBench.Fall(gap: .milliseconds($0), back: .milliseconds(10 * $0)) }
        let machine = Machine(cores: 4, processor: "CPU", kernel: "6.1", syncMicroseconds: nil, load: 0)
        let report = FailoverReport(machine: machine, nodes: 3, series: [(16, falls)], stolen: 0)
        let lines = report.table.split(separator: "\n").map(String.init)
        #expect(lines[0] == "IN FLIGHT  KILLS   GAP      RANGE  BACK AFTER        RANGE")
        #expect(lines[1] == "       16      3  30.0  20.0–70.0       300.0  200.0–700.0")
        #expect(
            report.json == #"{"mode":"failover","nodes":3,"disturbance":null,"results":[{"in_flight":16,"#
                + #""gap_ms":[30.000,20.000,70.000],"back_ms":[300.000,200.000,700.000]}]}"# + "\n")
    }

    @Test(arguments: [
        ["--failover", "3"], ["--failover", "3", "--nodes-own", "1"], ["--failover", "0", "--nodes-own", "3"],
        ["--failover", "3", "--nodes-own", "3", "--mode", "read"], ["--failover", "3", "--nodes-own", "3", "--held", "5"],
    ])
    func whatMakesNoSenseIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try RootCommand.parseAsRoot(["bench"] + arguments) }
    }
}
