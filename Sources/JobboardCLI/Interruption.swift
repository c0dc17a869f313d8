import Dispatch
import Foundation

/// Signals as events, so that a command can end in good order.
enum Interruption {
    /// Runs `operation`; SIGINT and SIGTERM cancel it, and then the result is nil.
    static func cancelling<Result: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Result
    ) async throws -> Result? {
        let signals = stream()
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                for await _ in signals { return nil }
                // The stream ends alone when this task is cancelled: the operation is done.
                throw CancellationError()
            }
            guard let first = try await group.next() else { preconditionFailure("a group of two tasks gave nothing") }
            group.cancelAll()
            if first == nil {
                // The operation clears up after itself; how it ends when it was told to end matters to nobody.
                _ = try? await group.next()
            }
            return first
        }
    }

    /// True when whoever started us had SIGHUP ignored, as `nohup` does: then it stays so. To be asked before it is listened to.
    static var ignoresHangup: Bool {
        var action = sigaction()
        guard sigaction(SIGHUP, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Every SIGINT and SIGTERM from now on, or what else is named, until its reader goes.
    static func stream(of numbers: [Int32] = [SIGINT, SIGTERM]) -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let sources = numbers.map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            let held = SignalSources(sources)
            continuation.onTermination = { _ in held.cancel() }
        }
    }
}

/// Keeps the sources of signals alive until nobody reads them.
private final class SignalSources: @unchecked Sendable {
    // Dispatch sources may be cancelled from any thread; nothing else is done with them.
    private let sources: [any DispatchSourceSignal]

    init(_ sources: [any DispatchSourceSignal]) {
        self.sources = sources
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
