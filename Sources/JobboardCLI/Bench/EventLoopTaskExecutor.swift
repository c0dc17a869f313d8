import NIOCore

/// Runs tasks on an event loop. A task that lives on its client's loop pays no change of thread for a call, and what many
/// such tasks ask for in one loop tick travels together.
final class EventLoopTaskExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
