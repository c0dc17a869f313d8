import Consensus
import EventLog
import NodeEngine

extension SimulatedCluster {
    /// The next call of some kind on the disk will fail, now or at the next start.
    mutating func breakDisk(of node: Int) {
        // Writes and syncs as often as all others together.
        let calls: [SimulatedDisk.Call] = [.write, .write, .sync, .sync, .read, .open, .rename, .syncFolder]
        let call = calls[Int(random.below(UInt64(calls.count)))]
        guard nodes[node].failingCall == nil else { return }
        nodes[node].failingCall = call
        nodes[node].disk.failNext(call)
    }

    /// Somebody else takes nearly all of the room for up to three seconds: the log goes on until it needs a new segment.
    mutating func fillDisk(of node: Int) {
        report.sights.add(.fullDisks)
        nodes[node].disk.capacity = nodes[node].disk.usedSpace + random.below(2 * segmentBytes)
        trace.note(time, "the disk of node \(nodes[node].id) is nearly full")
        queue.plan(.roomAgain(node: node), at: time + 1000 * random.below(3000))
    }

    /// Other processes take what there is of descriptors and memory, for up to three seconds and beginning somewhere in what the
    /// node is about to do.
    mutating func makeScarce(_ node: Int) {
        report.sights.add(.scarcities)
        nodes[node].disk.asksUntilScarce = Int(random.below(12))
        trace.note(time, "descriptors become short at node \(nodes[node].id)")
        queue.plan(.endScarcity(node: node), at: time + 1000 * random.below(3000))
    }

    /// A lack of descriptors or memory has broken nothing: what failed for that is tried again, and the node goes on. True when
    /// that is what has happened.
    mutating func isScarcity(_ node: Int, _ error: EventLogError) throws(Violation) -> Bool {
        guard error.code == .transient else { return false }
        guard nodes[node].disk.isScarce else {
            throw Violation("node \(nodes[node].id) says that descriptors are short, and they are not: \(error)")
        }
        report.sights.add(.scarcityWaits)
        trace.note(time, "node \(nodes[node].id) waits for descriptors: \(error)")
        return true
    }

    /// As in the real one, spares are made ahead, but only where disks fill up: to the others' seeds it would change all.
    var logOptions: EventLogOptions {
        EventLogOptions(segmentBytes: segmentBytes, readySpares: plan.fullDiskEvery > 0 ? 2 : 0)
    }

    /// What the real disk thread does beside its writes: the next segments are made ahead, and the node hears how much room
    /// there is.
    mutating func lookForRoom(at node: Int) throws {
        guard plan.fullDiskEvery > 0, let log = nodes[node].log else { return }
        // A process that stands still looks later.
        guard time >= max(nodes[node].pausedUntil, nodes[node].stalledUntil) else { return }
        if log.wantsSpare() {
            var failure: DiskError.Reason?
            do throws(DiskError) {
                try SparePreparer.prepare(on: nodes[node].disk, segmentBytes: segmentBytes, atMost: 2)
            } catch {
                failure = error.reason
            }
            do throws(EventLogError) {
                try log.spareEnded(failure)
            } catch {
                return try diskFailed(node, error)
            }
        }
        guard log.room != nodes[node].room else { return }
        nodes[node].room = log.room
        trace.note(time, "the disk of node \(nodes[node].id) has room: \(log.room.word)")
        try step(node, [.room(log.room)])
    }

    /// The next write needs a segment that can't be made: what was ordered is tried again after a while.
    mutating func waitForRoom(_ node: Int) {
        report.sights.add(.fullDiskWaits)
        trace.note(time, "node \(nodes[node].id) waits for room")
        planSync(node, at: time + 50_000)
    }

    /// Counts a failed call that was asked for, if that is what has just happened.
    mutating func isFailureAskedFor(_ node: Int) -> Bool {
        guard let call = nodes[node].takeFailure() else { return false }
        switch call {
        case .write: report.sights.add(.writeErrors)
        case .sync: report.sights.add(.syncErrors)
        case .read: report.sights.add(.readErrors)
        default: report.sights.add(.folderErrors)
        }
        return true
    }

    // MARK: Rot

    /// Bytes that were acknowledged change on one disk, where a log must tell that from a torn tail.
    ///
    /// At most a minority of the disks is rotten at any time; of a lone node it is the only one.
    mutating func rot(_ node: Int) {
        let (kind, place) = (random.below(4), random.next())
        guard nodes[node].isRunning, !nodes[node].isDamaged else { return }
        guard nodes.count(where: \.isDamaged) < max(1, (nodes.count - 1) / 2) else { return }
        var files = nodes[node].log!.covered.filter { !$0.bytes.isEmpty }
        // Rare places would never be met among many segments.
        let superblock = random.below(6) == 0
        if superblock { files = [EventLog.superblockBytes] }
        let snapshots = random.below(6) == 0 ? nodes[node].snapshotFiles : []
        if !superblock, !snapshots.isEmpty { files = snapshots }
        guard !files.isEmpty else { return }
        let (file, bytes) = files[Int(place % UInt64(files.count))]
        let contents = nodes[node].disk.contents(file)!
        // Most of a segment is padding, where rot does no harm.
        var start = Int(bytes.lowerBound)
        for _ in 0..<32 {
            start = Int(bytes.lowerBound + random.below(bytes.upperBound - bytes.lowerBound))
            if contents[start] != 0 { break }
        }
        if superblock { report.sights.add(.rottenSuperblocks) }
        if !superblock, !snapshots.isEmpty { report.sights.add(.rottenSnapshots) }
        switch kind {
        case 0:
            report.sights.add(.rottenBits)
            nodes[node].disk.rot(1 << UInt8(random.below(8)), ofByte: UInt64(start), in: file)
        case 1:
            report.sights.add(.rottenBytes)
            nodes[node].disk.rot(1 + UInt8(random.below(255)), ofByte: UInt64(start), in: file)
        case 2:
            report.sights.add(.rottenSectors)
            rot(start / 512 * 512, 512, of: file, on: node, until: Int(bytes.upperBound))
        default:
            report.sights.add(.rottenRanges)
            rot(start / 512 * 512, 512 + Int(random.below(32 << 10)), of: file, on: node, until: Int(bytes.upperBound))
        }
        nodes[node].isHealed = false
        trace.note(time, "\(file) of node \(nodes[node].id) rots at byte \(start)")
        note(0x55, UInt64(node), UInt64(start))
    }

    /// Garbage or zeros.
    private mutating func rot(_ start: Int, _ count: Int, of file: String, on node: Int, until end: Int) {
        let zeros = random.below(2) == 0 ? nodes[node].disk.contents(file) : nil
        for place in start..<min(start + count, end) {
            let mask = zeros.map { $0[place] } ?? UInt8(truncatingIfNeeded: random.next())
            nodes[node].disk.rot(mask, ofByte: UInt64(place), in: file)
        }
    }

    /// The node's process ends, and all that it had is gone. Its operator may say so when it comes again.
    mutating func empty(_ node: Int) throws {
        guard nodes.count > 1, nodes[node].isRunning, !nodes[node].isDamaged else { return }
        guard nodes.count(where: \.isDamaged) < (nodes.count - 1) / 2 else { return }
        report.sights.add(.emptiedFolders)
        try loseProcess(node, withPower: false)
        nodes[node].disk.empty()
        (nodes[node].isEmptied, nodes[node].isHealed) = (true, false)
        trace.note(time, "the folder of node \(nodes[node].id) is emptied")
    }

    /// A node that found its log damaged stays down, until a backup brings the good bytes back: in half of the cases soon,
    /// else when everything is healed.
    mutating func refuse(_ node: Int) {
        report.sights.add(.rotRefused)
        trace.note(time, "node \(nodes[node].id) finds its log damaged and does not start")
        note(0x56, UInt64(node), time)
        nodes[node].isRefused = true
        nodes[node].disk.kill()
        // What is found when everything is healed is brought back soon, too.
        if phase != .faulty || random.below(2) == 0 {
            queue.plan(.restore(node: node), at: time + 1000 * random.below(phase == .faulty ? 5000 : 500))
        }
    }

    mutating func restore(_ node: Int) throws {
        report.sights.add(.backupsRestored)
        nodes[node].disk.cure()
        nodes[node].isRefused = false
        try start(node)
    }
}
