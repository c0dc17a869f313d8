import ArgumentParser
import JobboardClient
import NIOCore
import NIOPosix

/// `jobboard bench`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how many jobs a cluster takes through their lives.",
        discussion: """
            A life is a post, a claim of that job and its consume, one after the other. So many lives are in flight at a \
            time, each begun when the one before has ended; after a second of warming up, --seconds are measured. The jobs \
            go to a board of their own.

            Example:
              jobboard bench --config cluster.json --concurrency 1,64 --seconds 10
            """)

    @Option(help: ArgumentHelp("Lives in flight, one measurement each.", valueName: "numbers"))
    var concurrency: NumberList = NumberList(numbers: [1, 16, 64, 256])

    @Option(help: ArgumentHelp("Clients, with a connection each.", valueName: "number"))
    var connections = 1

    @Option(help: ArgumentHelp("The size of each job's details.", valueName: "bytes"))
    var detailsBytes = 200

    @Option(help: ArgumentHelp("How long to measure each.", valueName: "number"))
    var seconds = 5.0

    @Option(help: ArgumentHelp("End each measurement after so many lives instead, without a limit of time.", valueName: "number"))
    var jobs: Int?

    @Flag(help: "Print the results as JSON.")
    var json = false

    @Option(help: ArgumentHelp("The board to use.", valueName: "name"))
    var board = "bench"

    @OptionGroup var cluster: ClusterOptions

    func validate() throws {
        if !(1...1024).contains(connections) { throw ValidationError("--connections must be from 1 to 1024") }
        if !(16...262_144).contains(detailsBytes) { throw ValidationError("--details-bytes must be from 16 to 262144") }
        if !(0.1...3600).contains(seconds) { throw ValidationError("--seconds must be from 0.1 to 3600") }
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    }

    func run() async throws {
        let (addresses, name) = try cluster.addresses()
        var clients: [JobboardClient] = []
        // The tasks of a client live on its event loop, as those of a program with much to do would.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: min(connections, System.coreCount))
        var executors: [EventLoopTaskExecutor] = []
        for _ in 0..<connections {
            let loop = group.next()
            executors.append(EventLoopTaskExecutor(loop))
            clients.append(
                try ClusterOptions.makeClient(
                    addresses, cluster: name, board: board, timeout: cluster.timeout, eventLoopGroup: loop))
        }
        let limit: BenchLevel.Limit = jobs.map { .lives($0) } ?? .time(.seconds(seconds))
        var results: [BenchResult] = []
        do {
            for inFlight in concurrency.numbers {
                let level = BenchLevel(inFlight: inFlight, details: Self.details(detailsBytes), limit: limit)
                Console.note("measuring \(inFlight) in flight")
                results.append(try await level.run(clients, on: executors))
            }
        } catch {
            for client in clients { await client.shutdown() }
            throw error
        }
        for client in clients { await client.shutdown() }
        try Console.write(json ? BenchReport.json(results, self) : BenchReport.table(results))
    }

    /// A JSON string of so many bytes that compresses about as well as text does.
    private static func details(_ count: Int) -> [UInt8] {
        var text = "{\"text\":\""
        var number: UInt32 = 2_463_534_242
        while text.utf8.count < count - 2 {
            // Xorshift (Marsaglia 2003): the same text in every run.
            number ^= number << 13
            number ^= number >> 17
            number ^= number << 5
            text += words[Int(number % UInt32(words.count))]
        }
        return Array(text.utf8.prefix(count - 2)) + Array("\"}".utf8)
    }

    private static let words = [
        "width ", "height ", "resize ", "customer ", "invoice ", "4711 ", "1920 ", "bucket/", "upload-", "retry ", "eu-west ",
        "png ",
        "thumbnail ", "urgent ", "0815 ", "batch ",
    ]
}

/// `1,16,64` as an argument.
struct NumberList: ExpressibleByArgument {
    var numbers: [Int]

    init(numbers: [Int]) {
        self.numbers = numbers
    }

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.allSatisfy({ $0.map { (1...65_536).contains($0) } ?? false }) else { return nil }
        self.numbers = numbers.compactMap(\.self)
    }

    var defaultValueDescription: String {
        numbers.map(String.init).joined(separator: ",")
    }
}
