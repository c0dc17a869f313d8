/// What a power loss left undone.
package struct CrashLoss: Sendable, Equatable {
    /// Sectors that stayed as they were before a write, and those that became garbage.
    package var sectors = 0
    package var garbledSectors = 0
    /// Creations, renames and removals that did not take place.
    package var names = 0

    mutating func add(_ other: CrashLoss) {
        sectors += other.sectors
        garbledSectors += other.garbledSectors
        names += other.names
    }
}

/// A data folder in memory that can lose power, fail and rot. Deterministic: luck comes from the caller's generator.
///
/// It outlives the node that uses it: after `crash(using:)` the same object is opened again. What was not synced is
/// then old, new or garbage sector by sector; creations, renames and removals that no folder sync followed are done
/// or not, each for itself.
package final class SimulatedDisk: Disk {
    package enum Call: Sendable, Hashable, CaseIterable {
        case list, open, size, read, write, sync, rename, remove, syncFolder, freeSpace
    }

    package struct Counters: Sendable, Equatable {
        package var calls: UInt64 = 0
        package var reads: UInt64 = 0
        package var writes: UInt64 = 0
        package var syncs: UInt64 = 0
        package var bytesWritten: UInt64 = 0
    }

    package private(set) var counters = Counters()
    /// How many bytes all files together may have.
    package var capacity: UInt64
    /// After so many more calls the power is off: that call is begun but fails, and so do all after it until `crash`.
    package var callsUntilPowerLoss: Int?
    /// After so many more calls that open or ask, descriptors and memory are short, and all such calls fail; nil for never. Kept
    /// over `crash` and `kill`, since other processes take them.
    package var asksUntilScarce: Int?
    package var isScarce: Bool { asksUntilScarce == 0 }

    private var files: [Int: SimulatedFile] = [:]
    private var folder = SimulatedFolder()
    private var open: [Int32: Int] = [:]
    private var nextFile = 0
    private var nextHandle: Int32 = 0
    private var failures: [Call: DiskError.Reason] = [:]

    package init(capacity: UInt64 = .max) {
        self.capacity = capacity
    }

    // MARK: Faults

    /// Makes the next call of this kind fail. A write that fails has written its first half; a sync that fails loses
    /// what it was to write, and later syncs succeed without it.
    package func failNext(_ call: Call, as reason: DiskError.Reason = .failed) {
        failures[call] = reason
    }

    /// True while a fault of this kind was asked for and has not happened.
    package func isToFail(_ call: Call) -> Bool { failures[call] != nil }

    /// No fault that was asked for will happen any more.
    package func forgetFailures() { failures.removeAll() }

    /// Turns one bit of a file at rest.
    package func flipBit(_ bit: Int, ofByte offset: UInt64, in name: String) {
        precondition((0..<8).contains(bit), "a byte has no bit \(bit)")
        rot(1 << UInt8(bit), ofByte: offset, in: name)
    }

    /// Turns these bits of a byte of a file at rest, until it is written anew or `cure` is called.
    package func rot(_ mask: UInt8, ofByte offset: UInt64, in name: String) {
        guard let file = folder.seen[name] else { preconditionFailure("no file \(name)") }
        files[file]?.turn(mask, ofByte: Int(offset))
    }

    /// Some byte of some file is not what was written.
    package var isRotten: Bool { files.values.contains { $0.isRotten } }

    /// The good bytes come back from somewhere, as from a backup.
    package func cure() {
        for number in files.keys { files[number]?.cure() }
    }

    /// Everything is gone, as from a disk that was replaced. No file may be open.
    package func empty() {
        files = [:]
        folder = SimulatedFolder()
    }

    /// What reads would see of the file now; nil when there is none.
    package func contents(_ name: String) -> [UInt8]? {
        folder.seen[name].flatMap { files[$0] }.map { $0.read(0..<$0.count) }
    }

    /// The power fails and comes back: only what is on the platter is left, no file is open and no fault is set.
    @discardableResult package func crash(using generator: inout some RandomNumberGenerator) -> CrashLoss {
        var loss = CrashLoss()
        for number in files.keys.sorted() { loss.add(files[number]!.crash(using: &generator)) }
        loss.names = folder.crash(using: &generator)
        kill()
        let named = Set(folder.seen.values)
        for number in files.keys where !named.contains(number) { files[number] = nil }
        return loss
    }

    /// The power fails and comes back; what was not synced ends as the caller decides.
    package func crash(deciding decide: (Unsynced) -> Fate) {
        for number in files.keys.sorted() { files[number]?.crash(deciding: decide) }
        folder.crash(deciding: decide)
        kill()
    }

    /// Another disk in the same state, with no file open and no fault set.
    package func copy() -> SimulatedDisk {
        let copy = SimulatedDisk(capacity: capacity)
        (copy.files, copy.folder, copy.nextFile) = (files, folder, nextFile)
        return copy
    }

    /// The process dies, the machine does not: no file is open and no fault is set.
    package func kill() {
        open.removeAll()
        failures.removeAll()
        callsUntilPowerLoss = nil
    }

    // MARK: Disk

    package func list() throws(DiskError) -> [String] {
        try begin(.list, "folder")
        try refuseIfScarce(.list, "folder")
        return folder.seen.keys.sorted()
    }

    package func open(_ name: String, create: Bool) throws(DiskError) -> FileID {
        try begin(.open, name)
        try refuseIfScarce(.open, name)
        if folder.seen[name] == nil {
            guard create else { throw DiskError(.notFound, "open \(name): no such file") }
            nextFile += 1
            files[nextFile] = SimulatedFile()
            folder.create(name, nextFile)
        }
        let number = folder.seen[name]!
        files[number]?.reopen()
        nextHandle += 1
        open[nextHandle] = number
        return FileID(nextHandle)
    }

    package func close(_ file: FileID) {
        open[file.rawValue] = nil
    }

    package func refresh(_ file: FileID) throws(DiskError) {
        try sync(file)
        files[try number(file)]?.reopen()
    }

    /// A call that changes nothing on the disk fails in this way; see `DiskError.Reason.transient`.
    private func refuseIfScarce(_ call: Call, _ name: String) throws(DiskError) {
        if isScarce { throw DiskError(.transient, "\(call) \(name): too many open files") }
        if let left = asksUntilScarce { asksUntilScarce = left - 1 }
    }

    package func size(_ file: FileID) throws(DiskError) -> UInt64 {
        try begin(.size, "file \(file.rawValue)")
        try refuseIfScarce(.size, "file \(file.rawValue)")
        return UInt64(files[try number(file)]!.count)
    }

    package func read(_ file: FileID, at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        try begin(.read, "file \(file.rawValue)")
        counters.reads += 1
        let number = try number(file)
        let size = files[number]!.count
        let start = Int(min(offset, UInt64(size)))
        return files[number]!.read(start..<min(size, start + count))
    }

    package func write(_ file: FileID, at offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        let number = try number(file)
        counters.writes += 1
        let growth = UInt64(max(0, Int(offset) + bytes.count - files[number]!.count))
        do {
            try begin(.write, "file \(file.rawValue)")
        } catch {
            let half = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)])
            files[number]!.write(callsUntilPowerLoss == nil ? half : bytes, at: Int(offset))
            throw error
        }
        guard growth == 0 || usedSpace + growth <= capacity else { throw DiskError(.noSpace, "write: no space left") }
        files[number]!.write(bytes, at: Int(offset))
        counters.bytesWritten += UInt64(bytes.count)
    }

    package func sync(_ file: FileID) throws(DiskError) {
        let number = try number(file)
        counters.syncs += 1
        do {
            try begin(.sync, "file \(file.rawValue)")
        } catch {
            if callsUntilPowerLoss == nil { files[number]!.failSync() }
            throw error
        }
        files[number]!.sync()
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        let failure = failure(of: .rename, name)
        if let failure, callsUntilPowerLoss == nil { throw failure }
        guard folder.seen[name] != nil else { throw DiskError(.notFound, "rename \(name): no such file") }
        folder.rename(name, to: newName)
        if let failure { throw failure }
    }

    package func remove(_ name: String) throws(DiskError) {
        let failure = failure(of: .remove, name)
        if let failure, callsUntilPowerLoss == nil { throw failure }
        guard folder.seen[name] != nil else { throw DiskError(.notFound, "remove \(name): no such file") }
        folder.remove(name)
        if let failure { throw failure }
    }

    package func syncFolder() throws(DiskError) {
        try begin(.syncFolder, "folder")
        folder.sync()
    }

    package func freeSpace() throws(DiskError) -> UInt64 {
        try begin(.freeSpace, "folder")
        try refuseIfScarce(.freeSpace, "folder")
        return capacity - min(capacity, usedSpace)
    }

    /// What all files together take, in bytes.
    package var usedSpace: UInt64 {
        folder.seen.values.reduce(0) { $0 + UInt64(files[$1]!.count) }
    }

    private func number(_ file: FileID) throws(DiskError) -> Int {
        guard let number = open[file.rawValue], files[number] != nil else {
            throw DiskError(.failed, "file \(file.rawValue) is not open")
        }
        return number
    }

    private func begin(_ call: Call, _ name: String) throws(DiskError) {
        if let failure = failure(of: call, name) { throw failure }
    }

    private func failure(of call: Call, _ name: String) -> DiskError? {
        counters.calls += 1
        if let left = callsUntilPowerLoss {
            callsUntilPowerLoss = max(0, left - 1)
            if left <= 1 { return DiskError(.failed, "\(call) \(name): the power is off") }
        }
        return failures.removeValue(forKey: call).map { DiskError($0, "\(call) \(name): a fault that was asked for") }
    }
}
