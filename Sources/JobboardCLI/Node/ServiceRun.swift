import Foundation
import Logging
import ServiceLifecycle

/// Runs services until a signal asks them to end, or one of them is done.
enum ServiceRun {
    static func untilSignal(
        _ services: [ServiceGroupConfiguration.ServiceConfiguration], of numbers: [Int32] = [SIGINT, SIGTERM], logger: Logger
    ) async throws {
        var configuration = ServiceGroupConfiguration(services: services, logger: logger)
        // Signals come from `Interruption`, the one place that listens to them.
        configuration.gracefulShutdownSignals = []
        let group = ServiceGroup(configuration: configuration)
        let signals = Interruption.stream(of: numbers)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                for await _ in signals { await group.triggerGracefulShutdown() }
            }
            do {
                // The listener ends with the group alone.
                try await tasks.next()
                tasks.cancelAll()
            } catch {
                tasks.cancelAll()
                throw error
            }
        }
    }
}
