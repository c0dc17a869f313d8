import Consensus
import EventLog
import Testing

/// A log while descriptors or memory are short: what can't be done now has changed nothing and can be done later.
@Suite struct ScarcityTests {
    private static let options = EventLogOptions(segmentBytes: 16 << 10, maxSpares: 0, readySpares: 0)

    @Test func `a write that needs another file is refused as a whole and can be done later`() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk, options: Self.options)
        var luck = Luck(1)
        var last = EntrySummary.beforeFirst
        let entries = (0..<8).map { _ in
            let next = entry(after: last, payload: luck.bytes(5000))
            last = next.summary
            return next
        }
        disk.asksUntilScarce = 0
        #expect(code { try log.append([write(entries)]) } == .transient)
        #expect(log.lastIndex == 0)
        let done = try log.appendFitting(entries.map { write([$0]) })
        #expect((1...3).contains(done) && log.lastIndex == LogIndex(done))
        #expect(code { _ = try log.appendFitting(entries[done...].map { write([$0]) }) } == .transient)
        disk.asksUntilScarce = nil
        #expect(try log.appendFitting(entries[done...].map { write([$0]) }) == 8 - done)
        log.close()
        let (_, found) = try open(disk, options: Self.options)
        #expect(found.last == last && found.missing == nil)
    }

    @Test func `a log that can't look for spares goes on as it was`() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk, options: Self.options)
        disk.asksUntilScarce = 0
        #expect(code { try log.adoptSpares() } == .transient)
        #expect(code { try log.spareEnded(.transient) } == .transient)
        try log.append([write(chain(3))])
        #expect(log.lastIndex == 3)
    }

    @Test func `an opening that fails for want of descriptors at any point is no damage, and the next one finds all`() throws {
        let disk = SimulatedDisk()
        let (log, _) = try open(disk, options: Self.options)
        var luck = Luck(2)
        var last = EntrySummary.beforeFirst
        for _ in 0..<12 {
            let next = entry(after: last, payload: luck.bytes(5000))
            try log.append([write([next])])
            last = next.summary
        }
        log.close()
        var failures = 0
        for asks in 0..<100 {
            disk.asksUntilScarce = asks
            let failure = code {
                let (log, found) = try open(disk, options: Self.options)
                #expect(found.last == last && found.missing == nil)
                log.close()
            }
            guard let failure else { break }
            #expect(failure == .transient, "after \(asks) calls")
            failures += 1
            disk.kill()
        }
        #expect((4..<100).contains(failures))
        disk.asksUntilScarce = nil
        let (_, found) = try open(disk, options: Self.options)
        #expect(found.last == last && found.missing == nil)
    }
}
