import Consensus
package import Jobboard

// The words and the order of what people and scripts read; once released, neither changes.

extension JSONWriter {
    /// A job. `duplicate` marks the answer to a post that found it there already.
    package mutating func write(_ job: Job, duplicate: Bool = false) {
        beginObject()
        field("uuid", job.id.description)
        field("board", job.board)
        field("name", job.name)
        field("state", job.state.word)
        field("priority", job.priority.word)
        key("details")
        raw(job.details)
        key("book")
        write(job.book)
        field("created_on", job.createdOn)
        field("last_modified", job.lastModified)
        field("position", job.position)
        field("owner", job.owner)
        field("fence", job.fence)
        field("lease_until", job.leaseUntil)
        field("not_before", job.notBefore)
        field("expires_on", job.expiresOn)
        field("key", job.key)
        field("claims", UInt64(job.claims))
        field("failures", UInt64(job.failures))
        field("max_failures", job.maxFailures.map(UInt64.init))
        field("last_failure", job.lastFailure)
        key("result")
        raw(job.result ?? [])
        field("lost_claims", UInt64(job.lostClaims))
        field("max_lost_claims", job.maxLostClaims.map(UInt64.init))
        if duplicate { field("duplicate", true) }
        if job.isPartial { field("partial", true) }
        endObject()
    }

    /// An event, as a line of `watch`, `history` and `log dump`.
    package mutating func write(_ event: Event) {
        beginObject()
        field("position", event.position)
        field("event", event.kind.word)
        field("board", event.board)
        field("job", event.job.description)
        field("name", event.name)
        field("at", event.time)
        field("who", event.owner)
        field("fence", event.fence)
        field("failure", event.failure)
        endObject()
    }

    /// An error, inside an object of its own.
    package mutating func write(_ error: JobboardError) {
        beginObject()
        key("error")
        beginObject()
        field("code", error.code.rawValue)
        field("message", error.message)
        field("outcome", error.outcome.word)
        field("owner", error.owner)
        endObject()
        endObject()
    }

    /// A node's status.
    package mutating func write(_ status: NodeStatus) {
        beginObject()
        field("cluster", status.cluster)
        field("node", status.node)
        field("role", status.role.word)
        field("leader", status.leader)
        field("term", status.term)
        field("last_index", status.lastIndex)
        field("commit", status.commit)
        field("applied", status.applied)
        field("position", status.position)
        field("raw_bytes", status.rawBytes)
        field("stored_bytes", status.storedBytes)
        field("disk_bytes", status.diskBytes)
        field("syncs", status.syncs)
        field("sync_p99_microseconds", status.syncP99Microseconds)
        field("unclaimed", status.unclaimed)
        field("claimed", status.claimed)
        field("complete", status.complete)
        field("trashed", status.trashed)
        key("members")
        beginArray()
        for member in status.members { write(member) }
        endArray()
        field("snapshot_index", status.snapshotIndex)
        field("snapshot_digest", status.snapshotDigest?.description)
        field("room", status.room.word)
        field("cluster_room", status.clusterRoom.word)
        field("read_only", status.isReadOnly)
        field("short_of_memory", status.isShortOfMemory)
        key("repair")
        write(status.repair)
        key("budgets")
        beginObject()
        for budget in status.budgets {
            key(budget.name)
            write(budget)
        }
        endObject()
        endObject()
    }

    private mutating func write(_ budget: BudgetReading) {
        beginObject()
        field("used", budget.used)
        field("limit", budget.limit)
        field("refused", budget.refused)
        endObject()
    }

    private mutating func write(_ repair: RepairStatus) {
        beginObject()
        field("missing_blocks", repair.missingBlocks)
        field("unobtainable_blocks", repair.unobtainableBlocks)
        field("mended_blocks", repair.mendedBlocks)
        field("mended_snapshots", repair.mendedSnapshots)
        field("scrubbed_bytes", repair.scrubbedBytes)
        field("scrub_rounds", repair.scrubRounds)
        key("waits_for")
        beginArray()
        for node in repair.waitsFor { number(node) }
        endArray()
        field("reason", repair.reason)
        endObject()
    }

    private mutating func write(_ member: NodeStatus.Member) {
        beginObject()
        field("node", member.node)
        field("client_address", member.clientAddress)
        field("reachable", member.reachable)
        field("datagrams", member.datagrams)
        field("durable", member.durable)
        endObject()
    }

    private mutating func write(_ book: Book?) {
        guard let book else { return null() }
        beginObject()
        field("uuid", book.uuid.description)
        field("name", book.name)
        endObject()
    }

    private mutating func field(_ name: String, _ time: Timestamp?) {
        field(name, time.map(RFC3339.text))
    }

    /// Text, since a JSON number of 64 bits does not survive every reader.
    package static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
