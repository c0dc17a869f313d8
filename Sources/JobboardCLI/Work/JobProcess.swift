/// Runs a command for one job: details on its standard input, its standard error passed on and its last line kept.
struct JobProcess: Sendable {
    struct Result: Sendable, Equatable {
        var end: RunningProcess.End
        var lastErrorLine: String
        /// It was stopped because its time was up.
        var ranTooLong = false
    }

    let command: Spawn.Command
    let input: [UInt8]
    /// It is stopped when it runs longer.
    var limit: Duration?
    let thread: CommandThread

    /// Runs it to its end. When the task is cancelled, its process group gets SIGTERM, and SIGKILL five seconds later.
    func run() async throws(StartFailure) -> Result {
        let stop = StopButton()
        let result: Swift.Result<Result, StartFailure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                thread.run(.init(command: command, input: input, limit: limit, stop: stop) { continuation.resume(returning: $0) })
            }
        } onCancel: {
            stop.press()
            thread.look()
        }
        return try result.get()
    }
}
