import Consensus
import Jobboard
import JobboardClient
import WireFormat

/// How each node of a cluster stands, or that it can't be reached.
enum ClusterStatus {
    struct Report: Sendable {
        var address: String
        /// Nil when it did not answer.
        var status: NodeStatus?
        /// Why not.
        var error: JobboardError?
        /// As it says itself, or as others call the one with this address; nil when nobody does.
        var node: UInt64?
        /// The digest of its boards, and the entry that it is of, when that was asked for.
        var digest: (index: UInt64, digest: UInt64)?

        /// Nil when it has answered.
        var trouble: NodeTrouble? { status == nil ? error.map { NodeTrouble($0) } ?? .unreachable : nil }
    }

    /// What is wrong with the cluster as a whole; nil when it has a leader and a majority that serves.
    static func failure(_ reports: [Report]) -> CommandFailure? {
        let serving = reports.compactMap(\.status).filter { $0.role != .repairing }
        guard reports.contains(where: { $0.status != nil }) else {
            return CommandFailure(.unavailable, code: "unavailable", "no node answered")
        }
        let count = serving.map(\.members.count).max() ?? reports.count
        let voters = Set(serving.map(\.node)).count
        guard voters > count / 2 else {
            return CommandFailure(.unavailable, code: "no_majority", "\(voters) of \(count) nodes serve, which is no majority")
        }
        let term = serving.map(\.term).max() ?? 0
        guard serving.contains(where: { $0.role == .leader && $0.term == term }) else {
            return CommandFailure(.unavailable, code: "no_leader", "no node leads")
        }
        return nil
    }

    /// Asks the nodes at these addresses, all at once, and then those that the answers name besides; gives them in the order of
    /// their numbers.
    static func ask(_ addresses: [String], through client: JobboardClient, timeout: Duration) async -> [Report] {
        let first = await askAll(addresses, through: client, timeout: timeout)
        let known = Set(first.compactMap { $0.status?.node })
        var others: [UInt64: String] = [:]
        for member in first.flatMap({ $0.status?.members ?? [] }) where !known.contains(member.node) {
            if !addresses.contains(member.clientAddress) { others[member.node] = member.clientAddress }
        }
        let second = await askAll(others.sorted { $0.key < $1.key }.map(\.value), through: client, timeout: timeout)
        return inOrder(first + second)
    }

    /// Asks each node that answered for the digest of its boards.
    static func askDigests(_ reports: [Report], through client: JobboardClient, timeout: Duration) async -> [Report] {
        var reports = reports
        for place in reports.indices where reports[place].status != nil {
            do throws(JobboardError) {
                reports[place].digest = try await client.digest(of: reports[place].address, timeout: timeout)
            } catch {
                reports[place].error = error
            }
        }
        return reports
    }

    static func inOrder(_ reports: [Report]) -> [Report] {
        var names: [String: UInt64] = [:]
        for member in reports.flatMap({ $0.status?.members ?? [] }) { names[member.clientAddress] = member.node }
        return reports.map { report in
            var named = report
            named.node = report.status?.node ?? names[report.address]
            return named
        }.sorted { ($0.node ?? .max, $0.address) < ($1.node ?? .max, $1.address) }
    }

    private static func askAll(_ addresses: [String], through client: JobboardClient, timeout: Duration) async -> [Report] {
        await withTaskGroup(of: (Int, Report).self) { group in
            for (place, address) in addresses.enumerated() {
                group.addTask {
                    do throws(JobboardError) {
                        return (place, Report(address: address, status: try await client.status(of: address, timeout: timeout)))
                    } catch {
                        return (place, Report(address: address, error: error))
                    }
                }
            }
            var reports: [(Int, Report)] = []
            for await report in group { reports.append(report) }
            return reports.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    static func table(_ reports: [Report]) -> String {
        let hasDigests = reports.contains { $0.digest != nil }
        var table = TextTable(
            [
                .init("NODE", .right), .init("ADDRESS"), .init("ROLE"), .init("TERM", .right), .init("COMMIT", .right),
                .init("APPLIED", .right), .init("LOG", .right), .init("STORED", .right), .init("DISK", .right),
                .init("ROOM"), .init("FSYNC P99", .right), .init("UNCLAIMED", .right), .init("CLAIMED", .right),
                .init("COMPLETE", .right),
                .init("TRASHED", .right), .init("CONNS", .right), .init("FILES", .right), .init("DAMAGE"),
            ] + (hasDigests ? [.init("DIGEST")] : []))
        for report in reports {
            let digest = report.digest.map { "\(JSONWriter.hex($0.digest)) at \($0.index)" } ?? "-"
            table.add(cells(of: report) + (hasDigests ? [digest] : []))
        }
        return table.text
    }

    private static func cells(of report: Report) -> [String] {
        guard let status = report.status else {
            let trouble = report.trouble?.rawValue ?? "unreachable"
            return [report.node.map { "\($0)" } ?? "-", report.address, trouble] + Array(repeating: "-", count: 15)
        }
        return [
            "\(status.node)", report.address, status.role.word, "\(status.term)", "\(status.commit)", "\(status.applied)",
            Figures.bytes(status.rawBytes), Figures.bytes(status.storedBytes), Figures.bytes(status.diskBytes), room(of: status),
            Figures.fixed(Double(status.syncP99Microseconds) / 1000, 2) + " ms", "\(status.unclaimed)", "\(status.claimed)",
            "\(status.complete)", "\(status.trashed)", used("connections", of: status), used("descriptors", of: status),
            damage(status.repair),
        ]
    }

    /// How much of a budget is in use, and its limit.
    private static func used(_ budget: String, of status: NodeStatus) -> String {
        guard let reading = status.budgets.first(where: { $0.name == budget }) else { return "-" }
        return "\(reading.used)/\(reading.limit)"
    }

    /// What is broken now; what was and is whole again is in the metrics.
    private static func damage(_ repair: RepairStatus) -> String {
        var words: [String] = []
        if repair.missingBlocks > 0 { words.append(count(repair.missingBlocks, "block") + " missing") }
        if repair.unobtainableBlocks > 0 { words.append("\(repair.unobtainableBlocks) of them on no other node") }
        if !repair.waitsFor.isEmpty {
            words.append("waits for node " + repair.waitsFor.map { "\($0)" }.joined(separator: " and "))
        }
        if words.isEmpty, repair.reason != nil { words.append("fetching a snapshot") }
        return words.isEmpty ? "none" : words.joined(separator: ", ")
    }

    private static func count(_ number: UInt64, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// Why no posts are taken, if so.
    private static func room(of status: NodeStatus) -> String {
        guard status.clusterRoom.isShort else {
            return status.isShortOfMemory ? "\(status.room.word), memory short, read-only" : status.room.word
        }
        return status.room.isShort ? "\(status.room.word), read-only" : "\(status.room.word), others short, read-only"
    }

    static func json(_ report: Report) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("address", report.address)
        writer.field("reachable", report.status != nil)
        writer.field("trouble", report.trouble?.rawValue)
        writer.key("status")
        if let status = report.status { writer.write(status) } else { writer.null() }
        if let digest = report.digest {
            writer.field("state_digest", JSONWriter.hex(digest.digest))
            writer.field("state_digest_index", digest.index)
        }
        writer.field("error", report.error?.description)
        writer.endObject()
        return writer.text
    }
}
