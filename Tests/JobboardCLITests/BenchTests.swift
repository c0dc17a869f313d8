import ArgumentParser
import Foundation
import Testing
import WireFormat

@testable import JobboardCLI

@Suite struct BenchTests {
    // MARK: Arithmetic

    @Test func percentilesAreThoseOfTheSamples() {
        var times = BenchTimes()
        for microseconds in (1...1000).shuffled() { times.add(nanoseconds: UInt64(microseconds) * 1000) }
        let figures = times.percentiles
        func isAbout(_ figure: Double, _ wanted: Double) -> Bool { abs(figure - wanted) <= wanted / 500 }
        #expect(isAbout(figures.p50, 500) && isAbout(figures.p99, 990) && isAbout(figures.p999, 999))
        #expect(figures.max == 1000)
        #expect(BenchTimes().percentiles == BenchTimes.Percentiles())
    }

    @Test func notesOfSeveralClientsAddUp() {
        let recorders = [BenchRecorder(operations: 2), BenchRecorder(operations: 2)]
        recorders[0].note(BenchRound.Done(count: 3, times: [(0, 1000), (1, 5000)]))
        recorders[1].note(BenchRound.Done(count: 1, times: [(0, 2000)]))
        var notes = BenchRecorder.Notes(operations: 2)
        for recorder in recorders { notes.add(recorder.notes) }
        #expect(notes.count == 4 && notes.times.map(\.count) == [2, 1])
        #expect(notes.times[0].percentiles.max == 2 && notes.times[1].percentiles.max == 5)
    }

    @Test func aSpreadHasTheMiddleAndBothEnds() {
        #expect(Spread([3, 1, 2]) == Spread([2, 3, 1]))
        let odd = Spread([9, 1, 4])
        #expect(odd.median == 4 && odd.lowest == 1 && odd.highest == 9)
        #expect(Spread([4, 1, 2, 9]).median == 3)
        #expect(Spread([]).highest == 0)
    }

    private static func status(_ node: UInt64, syncs: UInt64, commit: UInt64, raw: UInt64, stored: UInt64) -> NodeStatus {
        var status = NodeStatus(cluster: "c", node: node, role: .follower, term: 1)
        (status.syncs, status.commit, status.rawBytes, status.storedBytes) = (syncs, commit, raw, stored)
        return status
    }

    /// Syncs are those of all nodes; the log is the same at all, so the one that is furthest counts.
    @Test func costsAreTheGrowthSharedByAllJobs() {
        var before = BenchSpending()
        before.nodes = [
            1: Self.status(1, syncs: 10, commit: 100, raw: 1000, stored: 500),
            2: Self.status(2, syncs: 5, commit: 90, raw: 0, stored: 0),
            3: Self.status(3, syncs: 7, commit: 0, raw: 0, stored: 0),
        ]
        before.usage = [7: ProcessUsage(cpuSeconds: 1, peakBytes: 10), 8: ProcessUsage(cpuSeconds: 1, peakBytes: 10)]
        before.client = ProcessUsage(cpuSeconds: 2, peakBytes: 20)
        var after = BenchSpending()
        after.nodes = [
            1: Self.status(1, syncs: 20, commit: 120, raw: 9000, stored: 4500),
            2: Self.status(2, syncs: 15, commit: 108, raw: 100, stored: 50),
        ]
        after.usage = [7: ProcessUsage(cpuSeconds: 1.5, peakBytes: 30)]
        after.client = ProcessUsage(cpuSeconds: 3, peakBytes: 40)
        let costs = BenchCosts(from: before, to: after, count: 40, commands: 3)
        #expect(costs.syncs == 0.5 && costs.entries == 0.5 && costs.batch == 6)
        #expect(costs.rawBytes == 200 && costs.storedBytes == 100)
        #expect(costs.nodeMicroseconds == [12_500] && costs.clientMicroseconds == 25_000)
        #expect(costs.peakNodeBytes == 30 && costs.peakClientBytes == 40)
        #expect(BenchCosts(from: after, to: after, count: 0, commands: 3).batch == 0)
    }

    // MARK: What the system tells

    @Test func aProcessesNameMayHoldAnything() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 100 0 0"
        let usage = ProcessUsage.parse(stat: stat, status: "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n", ticksPerSecond: 100)
        #expect(usage == ProcessUsage(cpuSeconds: 3, peakBytes: 2 << 20))
        #expect(ProcessUsage.parse(stat: "42 (a", status: "", ticksPerSecond: 100) == nil)
        #expect(ProcessUsage.read(pid: -1) == nil)
    }

    @Test func theOneWhoListensIsFoundByItsPort() throws {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:1C21 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 111 1 0 20 4 30 10 -1
               1: 0100007F:1C21 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0
            """
        #expect(ListeningProcess.inode(ofPort: 7201, in: table) == 222)
        #expect(ListeningProcess.inode(ofPort: 7202, in: table) == nil)
        #expect(ListeningProcess.pid(at: "192.0.2.1:7201") == nil && ListeningProcess.pid(at: "localhost") == nil)

        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        try #require(listen(file, 1) == 0)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(file, $0, &length) }
        }
        try #require(code == 0)
        #expect(ListeningProcess.pid(at: "127.0.0.1:\(UInt16(bigEndian: address.sin_port))") == getpid())
    }

    @Test func aMachineIsDescribedAndItsUnrestNamed() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nmodel name\t: other\n"
        #expect(Machine.processor(in: cpuinfo) == "Some CPU @ 2.00GHz")
        #expect(Machine.processor(in: "") == "unknown")
        #expect(Machine.load(in: "1.25 0.50 0.10 1/100 4242\n") == 1.25)
        let before = Machine.ticks(in: "cpu  100 0 50 800 20 0 5 25 9 0\ncpu0 1 1 1 1\n")
        #expect(before == Machine.Ticks(all: 1000, stolen: 25))
        #expect(Machine.Ticks(all: 2000, stolen: 75).share(since: before) == 0.05)
        #expect(before.share(since: before) == 0 && Machine.ticks(in: "").stolen == 0)
        var machine = Self.machine
        #expect(machine.disturbance(stolen: 0.001) == nil)
        machine.load = 3
        #expect(
            machine.disturbance(stolen: 0.05)
                == "not a quiet machine: the load was 3.00 before it began, other machines took 5.0 % of the processor")
    }

    // MARK: Output

    private static let machine = Machine(cores: 4, processor: "CPU", kernel: "6.1", syncMicroseconds: 512.4, load: 0.1)

    private static func report(_ arguments: [String] = []) throws -> BenchReport {
        let command = try #require(try RootCommand.parseAsRoot(["bench"] + arguments) as? BenchCommand)
        let results = [2000, 1000, 3000].map { count in
            var notes = BenchRecorder.Notes(operations: command.mode.operations.count)
            notes.count = count
            for place in notes.times.indices { notes.times[place].add(nanoseconds: UInt64(count) * 1000) }
            let costs = BenchCosts(from: BenchSpending(), to: BenchSpending(), count: count, commands: 3)
            return BenchResult(seconds: 2, notes: notes, costs: costs, stolen: 0)
        }
        return BenchReport(
            machine: machine, series: [BenchSeries(mode: command.mode, inFlight: 16, results: results)], command: command)
    }

    @Test func theTableShowsMediansRangesAndTheMachine() throws {
        let lines = try Self.report().table.split(separator: "\n").map(String.init)
        #expect(lines[0] == "IN FLIGHT  LIVES/S      RANGE  OPERATION    P50    P99  P99.9    MAX")
        #expect(lines[1] == "       16    1,000  500–1,500  post       2,000  2,000  2,000  3,000")
        #expect(lines[2].contains("claim") && lines[3].contains("consume"))
        #expect(lines.last == "latencies in µs; 4 cores of CPU, Linux 6.1, fdatasync p50 512 µs")
    }

    @Test func readsHaveNoCostsInTheLog() throws {
        let table = try Self.report(["--mode", "stale-read"]).table
        #expect(table.contains("READS/S") && !table.contains("ENTRIES/JOB"))
    }

    @Test func theJSONIsOneLineThatCanBeRead() throws {
        let text = try Self.report(["--mode", "watch"]).json
        #expect(text.hasSuffix("\n") && text.split(separator: "\n").count == 1)
        let value = try JSONReader.read(Array(text.utf8))
        func member(_ name: String, of value: JSONValue?) -> JSONValue? { value?.members?.first { $0.name == name }?.value }
        let result = try #require(member("results", of: value)?.items?.first)
        #expect(member("median", of: member("per_second", of: result))?.content == .number("1000.000"))
        let latencies = try #require(member("latencies_us", of: result)?.items)
        #expect(latencies.map { member("operation", of: $0)?.string } == ["post", "claim", "consume", "told"])
        #expect(member("cores", of: member("machine", of: value))?.unsigned == 4)
    }
}
