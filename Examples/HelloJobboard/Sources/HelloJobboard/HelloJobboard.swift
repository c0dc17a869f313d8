import JobboardClient

/// What a job is about; travels as JSON.
struct Resize: Codable {
    var file: String
    var width: Int
}

@main
struct HelloJobboard {
    /// Posts three jobs and works them off. Arguments: the nodes' client addresses; without any, the single node's.
    static func main() async throws {
        let named = Array(CommandLine.arguments.dropFirst())
        let client = try JobboardClient(nodes: named.isEmpty ? ["127.0.0.1:7201"] : named, board: "hello")

        // When a post returns, its job is durable on a majority of the cluster's disks.
        var jobs: [JobID] = []
        for width in [320, 640, 1280] {
            let posted = try await client.post("resize", details: Resize(file: "cat.png", width: width))
            jobs.append(posted.job.id)
        }

        // The claim is kept alive while the handler runs. An error thrown gives the job back as a failure.
        var options = Worker.Options()
        options.concurrency = 2
        let worker = Worker(client: client, who: "hello-worker", options: options) { job, claim in
            let resize = try job.details(as: Resize.self)
            print("\(claim.who) resizes \(resize.file) to \(resize.width), fence \(claim.fence)")
            return .consume(result: Array(#"{"done":true}"#.utf8))
        }
        let working = Task { try await worker.run() }

        for id in jobs {
            let job = try await client.waitForEnd(of: id, upTo: .seconds(30))
            print("\(job.id) is \(job.state.word)")
        }
        working.cancel()
        try await working.value
        await client.shutdown()
    }
}
