import Consensus

/// What was ever true on the way to a world, as far as it binds what may come: outside observers remember it.
struct SearchRecord: Sendable {
    struct Committed: Equatable, Sendable {
        var digest: Digest
        /// The term of the first node that held it to be committed.
        var term: Term
    }

    /// A read that was asked and not answered.
    struct OpenRead: Sendable {
        var number: UInt64
        var node: Int
        /// What was committed when it was asked.
        var mustSee: LogIndex
    }

    static let highestTerm: Term = 7
    /// Entry i is at place i - 1.
    private(set) var committed: [Committed] = []
    /// By term: one more than the leader's place; 0 for none.
    private var leaders: [UInt8] = Array(repeating: 0, count: Int(highestTerm) + 1)
    /// By voter's place and term, in the same way.
    private var votes: [UInt8] = Array(repeating: 0, count: 3 * (Int(highestTerm) + 1))
    private(set) var reads: [OpenRead] = []
    private var readsAsked: UInt64 = 0

    mutating func lead(_ node: Int, term: Term) throws(Violation) {
        let other = leaders[Int(term)]
        guard other == 0 || other == UInt8(node + 1) else {
            throw Violation("nodes \(other) and \(node + 1) both led term \(term)")
        }
        guard other == 0 else { return }
        leaders[Int(term)] = UInt8(node + 1)
        try vote(of: node, for: node, term: term)
    }

    mutating func vote(of voter: Int, for candidate: Int, term: Term) throws(Violation) {
        let place = voter * (Int(Self.highestTerm) + 1) + Int(term)
        let other = votes[place]
        guard other == 0 || other == UInt8(candidate + 1) else {
            throw Violation("node \(voter + 1) voted for \(other) and for \(candidate + 1) in term \(term)")
        }
        votes[place] = UInt8(candidate + 1)
    }

    /// How many others voted for a candidate.
    func votes(for candidate: Int, term: Term) -> Int {
        (0..<3).count { voter in
            voter != candidate && votes[voter * (Int(Self.highestTerm) + 1) + Int(term)] == UInt8(candidate + 1)
        }
    }

    /// A node holds everything up to `index` of its log to be committed.
    ///
    /// `disks` are asked about what nobody held to be committed before; nil where they can't be believed.
    mutating func commit(_ log: ReplicaLog, through index: LogIndex, term: Term, node: Int, disks: [SearchDisk]?)
        throws(Violation)
    {
        guard index > 0 else { return }
        for place in 1...index {
            let digest = log.digest(at: place)!
            if place <= LogIndex(committed.count) {
                guard committed[Int(place - 1)].digest == digest else {
                    throw Violation("entry \(place) was committed twice, with other content at node \(node + 1)")
                }
                continue
            }
            if let disks, disks.count(where: { $0.hasHeld(digest, at: place) }) < 2 {
                throw Violation("node \(node + 1) commits entry \(place), which a majority does not have on disk")
            }
            committed.append(Committed(digest: digest, term: term))
        }
    }

    mutating func ask(at node: Int) -> UInt64 {
        readsAsked += 1
        reads.append(OpenRead(number: readsAsked, node: node, mustSee: LogIndex(committed.count)))
        return readsAsked
    }

    mutating func fail(_ read: UInt64) {
        reads.removeAll { $0.number == read }
    }

    mutating func confirm(_ read: UInt64, at index: LogIndex) throws(Violation) {
        guard let open = reads.first(where: { $0.number == read }) else {
            throw Violation("read \(read) was answered twice")
        }
        guard index >= open.mustSee else {
            throw Violation("a read was confirmed at \(index), and \(open.mustSee) had been committed when it was asked")
        }
        fail(read)
    }

    /// Reads of a process that died will never be answered.
    mutating func forgetReads(of node: Int) {
        reads.removeAll { $0.node == node }
    }

    func encode(_ names: CanonicalNames, into hash: inout CanonicalHash) {
        hash.add(UInt64(committed.count))
        hash.add(committed.last?.digest.low)
        for entry in committed { hash.add(entry.term) }
        for leader in leaders { hash.add(leader == 0 ? nil : names.places[Int(leader) - 1]) }
        for voter in 0..<3 {
            var own = CanonicalHash()
            own.add(names.places[voter])
            for term in 1...Int(Self.highestTerm) {
                let vote = votes[voter * (Int(Self.highestTerm) + 1) + term]
                own.add(vote == 0 ? nil : names.places[Int(vote) - 1])
            }
            hash.merge(own)
        }
    }
}
