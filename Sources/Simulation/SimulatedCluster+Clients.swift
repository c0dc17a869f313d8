import Consensus
import Jobboard
import NodeEngine
import WireFormat

extension SimulatedCluster {
    /// How long a client waits for an answer before it asks another node, in microseconds.
    private static let patience: UInt64 = 700_000

    mutating func clientTurn(_ client: Int) {
        queue.plan(.clientTurn(client), at: time + 2000 + random.below(20_000))
        if clients[client].goal == nil {
            switch phase {
            case .faulty: clients[client].choose(&random, known: knownJobs, sessionTTL: sessionTTL, at: time)
            // The world comes to rest, so that what the nodes hold can be compared.
            case .healing: return
            case .draining: clients[client].chooseToDrain(&random, at: time)
            }
            if case .post(let job) = clients[client].goal { knownJobs.append(job.id) }
            if isRead(clients[client].goal) { clients[client].target = Int(random.below(UInt64(nodes.count))) }
            ask(client)
        } else if time - clients[client].sentAt > Self.patience {
            clients[client].target = Int(random.below(UInt64(nodes.count)))
            ask(client)
        }
    }

    private func isRead(_ goal: SimulatedClient.Goal?) -> Bool {
        switch goal {
        case .owner, .show, .list: true
        default: false
        }
    }

    /// Copies that come late come over connections that their clients have given up; so many above the clients' own.
    static let lateConnections: UInt64 = 500

    private mutating func ask(_ client: Int) {
        greet(client)
        guard clients[client].addressed.allows(clients[client].term) else {
            // An earlier leader than the one that has a copy.
            clients[client].target = Int(random.below(UInt64(nodes.count)))
            return askAgainSoon(client)
        }
        clients[client].request += 1
        clients[client].sentAt = time
        var bytes: [UInt8] = []
        let number = clients[client].request
        let request = clients[client].makeRequest(sessionTTL: sessionTTL)
        if case .write(var call, _) = request {
            call.session = clients[client].session
            calls[client][number] = call
            // Each node may be another than the last one, or have been started anew.
            let resumption = clients[client].presentation(sessionTTL: sessionTTL, resumed: true)
            ClientCodec.append(resumption, number: 0, to: &bytes)
        }
        ClientCodec.append(request, number: number, to: &bytes)
        clients[client].addressed.sent(to: clients[client].term)
        clients[client].openCopies += 1
        let body = bytes
        func plan(to node: Int, _ at: UInt64, on connection: UInt64) {
            queue.plan(.request(to: node, client: client, number: number, bytes: body, connection: connection), at: at)
        }
        plan(to: clients[client].target, time + 1 + random.below(2 * self.plan.delay), on: UInt64(client))
        if phase == .faulty, random.below(1000) < self.plan.requestRepeat {
            report.sights.add(.requestsRepeated)
            clients[client].openCopies += 1
            let node = random.below(2) == 0 ? clients[client].target : Int(random.below(UInt64(nodes.count)))
            plan(to: node, time + 1 + random.below(2_000_000), on: UInt64(client) + Self.lateConnections)
        }
    }

    /// A client that comes to another node than before is told there which term it leads.
    private mutating func greet(_ client: Int) {
        let target = clients[client].target
        guard clients[client].greetedBy != target else { return }
        clients[client].greetedBy = target
        clients[client].term = nodes[target].engine?.ledTerm ?? 0
    }

    /// What a client or a watcher sent at once, as frames one after the other.
    func requests(in bytes: [UInt8], on connection: UInt64) throws -> [EngineInput] {
        var inputs: [EngineInput] = []
        var place = 0
        while place < bytes.count {
            let start = place + Framing.prefixLength
            let length = bytes[place..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
            place = start + length
            let (number, request) = try bytes[start..<place].withUnsafeBytes { try ClientCodec.decodeRequest($0) }
            inputs.append(.request(ClientReference(connection: connection, request: number), request))
        }
        return inputs
    }

    /// A node answers a client or a watcher.
    mutating func reply(_ reference: ClientReference, _ response: Response) throws {
        guard reference.connection < Self.firstWatch else { return try replyToWatcher(reference, response) }
        // The answer to the resumption of a session, which nobody waits for.
        guard reference.request > 0 else { return }
        let isLate = reference.connection >= Self.lateConnections
        let client = Int(isLate ? reference.connection - Self.lateConnections : reference.connection)
        if isLate, case .otherTerm = response { report.sights.add(.lateCopiesSentBack) }
        try checkRepeatedAnswer(client, reference.request, response)
        guard !isLate else { return }
        if phase == .faulty, random.below(1000) < plan.replyLoss {
            report.sights.add(.repliesLost)
            return
        }
        var bytes: [UInt8] = []
        ClientCodec.append(response, number: reference.request, to: &bytes)
        let body = Array(bytes[Framing.prefixLength...])
        queue.plan(
            .reply(client: client, number: reference.request, bytes: body), at: time + 1 + random.below(2 * plan.delay))
    }

    /// The same request has one effect and one answer.
    private mutating func checkRepeatedAnswer(
        _ client: Int, _ number: UInt64, _ response: Response
    ) throws {
        guard case .outcome(let outcome) = response, let call = calls[client][number] else { return }
        let key = CallKey(session: call.session, sequence: call.sequence)
        switch outcome {
        case .claimed(let jobs) where jobs.isEmpty: return
        case .claimed, .changed: break
        case .sessionOpened, .sessionClosed, .posted, .refused: return
        }
        if let earlier = outcomes[key] {
            report.sights.add(.duplicatesAnswered)
            guard outcome.isSameAnswer(as: earlier) else {
                throw Violation("request \(call.sequence) of session \(call.session) was answered \(earlier), then \(outcome)")
            }
        } else {
            outcomes[key] = outcome
        }
    }

    mutating func takeReply(_ client: Int, _ number: UInt64, _ response: Response) throws {
        guard number == clients[client].request, let goal = clients[client].goal else { return }
        switch response {
        case .notLeader(let leader):
            clients[client].takeBack(isShed: false)
            clients[client].target = leader.flatMap { Int($0) }.map { $0 - 1 } ?? Int(random.below(UInt64(nodes.count)))
            askAgainSoon(client)
        case .otherTerm(let term):
            report.sights.add(.otherTerms)
            clients[client].takeBack(isShed: false)
            clients[client].term = term
            askAgainSoon(client)
        case .failed(let error) where error.code == .unavailable || error.code == .overloaded:
            if error.outcome == .notApplied { clients[client].takeBack(isShed: error.code == .overloaded) }
            clients[client].target = Int(random.below(UInt64(nodes.count)))
            askAgainSoon(client)
        case .failed(let error):
            finish(client, .refused(code: error.code.rawValue, owner: error.owner))
        case .jobs: finish(client, .unknown)
        case .owner(let owner): finish(client, .seen(state: nil, owner: owner, fence: nil))
        case .job(let job): finish(client, .seen(state: job.state, owner: job.owner, fence: job.fence))
        case .outcome(let outcome):
            report.acknowledged += 1
            if outcome.saysThatNothingHappened {
                withoutEffect.insert(CallKey(session: clients[client].session, sequence: clients[client].sequence))
            }
            try take(outcome, for: goal, client)
        case .count, .status, .digest, .ready, .watching, .events:
            throw Violation("client \(client) got an answer to another question: \(response)")
        }
    }

    private mutating func askAgainSoon(_ client: Int) {
        clients[client].sentAt = time > Self.patience ? time - Self.patience : 0
    }

    private mutating func take(_ outcome: Outcome, for goal: SimulatedClient.Goal, _ client: Int) throws {
        switch (goal, outcome) {
        case (.openSession, .sessionOpened(let session)):
            clients[client].session = session
            clients[client].sequence = 0
            clients[client].goal = nil
        case (.post(let job), .posted(let jobs, let duplicates)):
            guard jobs.map(\.id) == [job.id] else { throw Violation("client \(client) got another job than it posted") }
            postedJobs.append(job.id)
            finish(client, .posted(duplicates: duplicates))
        case (.claim, .claimed(let jobs)), (.claimNext, .claimed(let jobs)):
            try checker.claimed(jobs, by: clients[client].name)
            let claims = jobs.map { Operation.Claim(job: $0.id, fence: $0.fence!) }
            clients[client].held += claims
            finish(client, .claimed(claims))
        case (.consume(let job, let fence), .changed(let changed)):
            report.consumed += 1
            try checker.consumed(job, fence: fence)
            finish(client, .done(state: changed.state))
        case (.extend, .changed(let job)), (.abandon, .changed(let job)):
            finish(client, .done(state: job.state))
        case (_, .refused(let error)):
            refused(client, error)
        default:
            throw Violation("client \(client) got \(outcome) for \(goal)")
        }
    }

    private mutating func refused(_ client: Int, _ error: JobboardError) {
        if error.code == .staleFence { report.sights.add(.staleFencesRefused) }
        if error.code == .readOnly { report.sights.add(.readOnlyRefusals) }
        guard error.code == .sessionExpired else {
            return finish(client, error.outcome == .unknown ? .unknown : .refused(code: error.code.rawValue, owner: error.owner))
        }
        // An earlier try may have had its effect while the session lived.
        report.sights.add(.sessionsLost)
        finish(client, .unknown)
        clients[client].session = 0
        clients[client].held = []
    }

    /// The goal is reached, or never will be: the history says how it went.
    mutating func finish(_ client: Int, _ answer: Operation.Answer) {
        clients[client].goal = nil
        guard var operation = clients[client].operation else { return }
        clients[client].operation = nil
        operation.answer = answer
        if answer == .unknown {
            report.sights.add(.unknownOutcomes)
        } else {
            operation.returned = time
        }
        if operation.action == .owner || operation.action == .show, answer != .unknown { report.sights.add(.freshReads) }
        trace.note(time, "\(operation)")
        note(0x54, UInt64(client), operation.called, operation.returned ?? 0)
        history.append(operation)
    }

    mutating func killClient() {
        let client = Int(random.below(UInt64(clients.count)))
        report.sights.add(.clientDeaths)
        finish(client, .unknown)
        trace.note(time, "\(clients[client].name) dies")
        clients[client].die()
    }
}

extension Outcome {
    /// Its client believes from now on that the request had no effect and never will have one.
    fileprivate var saysThatNothingHappened: Bool {
        switch self {
        case .claimed(let jobs): jobs.isEmpty
        case .posted(_, let duplicates): duplicates.allSatisfy(\.self)
        case .refused(let error): error.outcome == .notApplied && error.code != .sessionExpired
        case .sessionOpened, .sessionClosed, .changed: false
        }
    }

    /// The request changed a board.
    var hasEffect: Bool {
        switch self {
        case .claimed(let jobs): !jobs.isEmpty
        case .posted(_, let duplicates): !duplicates.allSatisfy(\.self)
        case .changed: true
        case .sessionOpened, .sessionClosed, .refused: false
        }
    }
}
