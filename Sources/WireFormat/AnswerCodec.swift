import Consensus
package import Jobboard

// The bytes of what answers are made of besides jobs: events, errors, and a node's status.

extension ByteWriter {
    mutating func optionalString(_ value: String?) {
        bool(value != nil)
        if let value { string(value) }
    }

    mutating func error(_ error: JobboardError) {
        varint(flag(error.owner != nil, 0))
        u8(error.outcome.rawValue)
        string(error.code.rawValue)
        string(error.message)
        if let owner = error.owner { string(owner) }
    }

    mutating func events(_ events: [Event]) {
        varint(UInt64(events.count))
        for one in events { event(one) }
    }

    package mutating func event(_ event: Event) {
        varint(flag(event.owner != nil, 0) | flag(event.fence != nil, 1) | flag(event.failure != nil, 2))
        u8(event.kind.rawValue)
        varint(event.position)
        timestamp(event.time)
        string(event.board)
        jobID(event.job)
        string(event.name)
        if let owner = event.owner { string(owner) }
        if let fence = event.fence { varint(fence) }
        if let failure = event.failure { string(failure) }
    }

    /// Two bits, none of them set where there is ample room.
    private static func lack(of room: Room) -> UInt64 { UInt64(Room.ample.rawValue - room.rawValue) }

    mutating func status(_ status: NodeStatus) {
        varint(
            flag(status.leader != nil, 0) | flag(status.snapshotDigest != nil, 1) | Self.lack(of: status.room) << 2
                | Self.lack(of: status.clusterRoom) << 4 | flag(status.repair != RepairStatus(), 6)
                | flag(status.isShortOfMemory, 7))
        u8(status.role.rawValue)
        string(status.cluster)
        varint(status.node)
        if let leader = status.leader { varint(leader) }
        if let digest = status.snapshotDigest {
            varint(status.snapshotIndex)
            pair(high: digest.high, low: digest.low)
        }
        varint(status.term)
        varint(status.lastIndex)
        varint(status.commit)
        varint(status.applied)
        varint(status.position)
        varint(status.rawBytes)
        varint(status.storedBytes)
        varint(status.diskBytes)
        varint(status.syncs)
        varint(status.syncP99Microseconds)
        varint(status.unclaimed)
        varint(status.claimed)
        varint(status.complete)
        varint(status.trashed)
        varint(UInt64(status.members.count))
        for member in status.members {
            varint(flag(member.reachable, 0) | flag(member.datagrams, 1))
            varint(member.node)
            string(member.clientAddress)
            varint(member.durable)
        }
        if status.repair != RepairStatus() { repair(status.repair) }
        varint(UInt64(status.budgets.count))
        for budget in status.budgets {
            string(budget.name)
            varint(budget.used)
            varint(budget.limit)
            varint(budget.refused)
        }
    }

    private mutating func repair(_ repair: RepairStatus) {
        varint(repair.missingBlocks)
        varint(repair.unobtainableBlocks)
        varint(repair.mendedBlocks)
        varint(repair.mendedSnapshots)
        varint(repair.scrubbedBytes)
        varint(repair.scrubRounds)
        varint(UInt64(repair.waitsFor.count))
        for node in repair.waitsFor { varint(node) }
        optionalString(repair.reason)
    }
}

extension ByteReader {
    /// Bytes of the smallest event: flags, kind, position, time, two lengths and the job's identity.
    private static let smallestEvent = 22
    /// Bytes of the smallest member: flags, node, a length, and an index.
    private static let smallestMember = 4
    /// Bytes of the smallest reading of a budget: a length and three numbers.
    private static let smallestBudget = 4

    mutating func optionalString() throws(WireError) -> String? {
        try bool() ? string() : nil
    }

    mutating func error() throws(WireError) -> JobboardError {
        let flags = try flags(known: 0b1)
        let outcome: JobboardError.Effect = try tag("effect")
        let code = JobboardError.Code(rawValue: try string())
        let message = try string()
        return JobboardError(code, message, outcome: outcome, owner: try flags.has(0) ? string() : nil)
    }

    mutating func events() throws(WireError) -> [Event] {
        let count = try count(minimumSize: Self.smallestEvent, maximum: AnswerBounds.events)
        var events: [Event] = []
        events.reserveCapacity(count)
        for _ in 0..<count { events.append(try event()) }
        return events
    }

    package mutating func event() throws(WireError) -> Event {
        let flags = try flags(known: 0b111)
        let kind: EventKind = try tag("event")
        return Event(
            position: try varint(), kind: kind, time: try timestamp(), board: try string(), job: try jobID(),
            name: try string(), owner: try flags.has(0) ? string() : nil, fence: try flags.has(1) ? varint() : nil,
            failure: try flags.has(2) ? string() : nil)
    }

    private static func room(lacking lack: UInt64) -> Room { Room(rawValue: Room.ample.rawValue - UInt8(lack))! }

    mutating func status() throws(WireError) -> NodeStatus {
        let flags = try flags(known: 0b1111_1111)
        let role: NodeStatus.Role = try tag("role")
        var status = NodeStatus(cluster: try string(), node: try varint(), role: role, term: 0)
        (status.room, status.clusterRoom) = (Self.room(lacking: flags >> 2 & 0b11), Self.room(lacking: flags >> 4 & 0b11))
        status.isShortOfMemory = flags.has(7)
        if flags.has(0) { status.leader = try varint() }
        if flags.has(1) {
            status.snapshotIndex = try varint()
            let (high, low) = try pair()
            status.snapshotDigest = Digest(high: high, low: low)
        }
        status.term = try varint()
        status.lastIndex = try varint()
        status.commit = try varint()
        status.applied = try varint()
        status.position = try varint()
        status.rawBytes = try varint()
        status.storedBytes = try varint()
        status.diskBytes = try varint()
        status.syncs = try varint()
        status.syncP99Microseconds = try varint()
        status.unclaimed = try varint()
        status.claimed = try varint()
        status.complete = try varint()
        status.trashed = try varint()
        for _ in 0..<(try count(minimumSize: Self.smallestMember, maximum: AnswerBounds.members)) {
            status.members.append(try member())
        }
        if flags.has(6) { status.repair = try repair() }
        for _ in 0..<(try count(minimumSize: Self.smallestBudget, maximum: AnswerBounds.budgets)) {
            status.budgets.append(
                BudgetReading(name: try string(), used: try varint(), limit: try varint(), refused: try varint()))
        }
        return status
    }

    private mutating func repair() throws(WireError) -> RepairStatus {
        var repair = RepairStatus()
        repair.missingBlocks = try varint()
        repair.unobtainableBlocks = try varint()
        repair.mendedBlocks = try varint()
        repair.mendedSnapshots = try varint()
        repair.scrubbedBytes = try varint()
        repair.scrubRounds = try varint()
        for _ in 0..<(try count(minimumSize: 1, maximum: AnswerBounds.members)) { repair.waitsFor.append(try varint()) }
        repair.reason = try optionalString()
        guard repair != RepairStatus() else { throw WireError("a status speaks of repair and says nothing") }
        return repair
    }

    private mutating func member() throws(WireError) -> NodeStatus.Member {
        let flags = try flags(known: 0b11)
        return NodeStatus.Member(
            node: try varint(), clientAddress: try string(), reachable: flags.has(0), datagrams: flags.has(1),
            durable: try varint())
    }
}
