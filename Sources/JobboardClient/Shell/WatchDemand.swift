import NIOConcurrencyHelpers
import NIOCore

/// Tells a watch that its reader wants more, or has gone. Made before the watch, and attached to it afterwards.
final class WatchDemand: NIOAsyncSequenceProducerDelegate, Sendable {
    private struct Ends {
        var resume: @Sendable () -> Void
        var end: @Sendable () -> Void
    }

    private let ends = NIOLockedValueBox<Ends?>(nil)

    func attach(resume: @escaping @Sendable () -> Void, end: @escaping @Sendable () -> Void) {
        ends.withLockedValue { $0 = Ends(resume: resume, end: end) }
    }

    func produceMore() {
        ends.withLockedValue { $0 }?.resume()
    }

    func didTerminate() {
        // Nothing comes after this; letting go of the watch lets it be freed.
        let last = ends.withLockedValue { ends in
            defer { ends = nil }
            return ends
        }
        last?.end()
    }
}
