public import Jobboard
import NIOCore

/// The events of a watch: each once, in order, across fail-overs.
///
/// When its reader falls behind, the watch stops reading from the node, so that nothing is dropped and memory stays bounded.
/// While no node can be reached it keeps trying. It ends with an error when the position asked for is no longer kept
/// (`compacted`), when the request is refused, or with `closed` when the client is shut down; and without one when the task
/// that reads is cancelled. It can be iterated once.
public struct EventSequence: AsyncSequence, Sendable {
    typealias Producer = NIOThrowingAsyncSequenceProducer<
        Event, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, WatchDemand
    >

    let producer: Producer

    /// The one iterator of this watch.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(iterator: producer.makeAsyncIterator())
    }

    /// A place in the events.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let iterator: Producer.AsyncIterator

        /// The next event; waits for it. Nil when the task is cancelled.
        public mutating func next(isolation: isolated (any Actor)? = #isolation) async throws(JobboardError) -> Event? {
            // One task at a time uses it, since `next` is mutating; NIO's type only does not say that it may change hands.
            nonisolated(unsafe) let iterator = self.iterator
            do {
                return try await iterator.next()
            } catch let error as JobboardError {
                throw error
            } catch {
                // The producer's only other error is the cancellation of the reading task.
                return nil
            }
        }
    }
}
