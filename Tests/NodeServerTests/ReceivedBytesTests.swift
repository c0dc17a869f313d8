import Logging
import NIOCore
import NIOEmbedded
import NodeEngine
import Testing

@testable import NodeServer

@Suite struct ReceivedBytesTests {
    private final class Stage {
        let loop = EmbeddedEventLoop()
        let registry: ConnectionRegistry
        private var channels: [EmbeddedChannel] = []

        init(limit: Int) {
            var budgets = Budgets()
            budgets[.receivedBytes] = limit
            registry = ConnectionRegistry(loop: loop, descriptorLimit: 1024, budgets: budgets, logger: Logger(label: "test"))
        }

        func connect() -> AcceptedConnection {
            let channel = EmbeddedChannel(loop: loop)
            channels.append(channel)
            return registry.accept(channel, on: .client)
        }
    }

    /// Connections that each keep a little less than an honest client sends would otherwise be the last to go.
    @Test func `a client that goes on with a large request outlives those that keep parts of smaller ones`() {
        let stage = Stage(limit: 1000)
        let keepers = (0..<9).map { _ in stage.connect() }
        for keeper in keepers { keeper.received(left: 100, hasAdvanced: false, isHeld: false) }
        stage.loop.advanceTime(by: .seconds(2))
        let honest = stage.connect()
        for _ in 0..<20 {
            honest.received(left: 90, hasAdvanced: false, isHeld: false)
            stage.loop.advanceTime(by: .milliseconds(1))
            honest.received(left: 180, hasAdvanced: false, isHeld: false)
            stage.loop.advanceTime(by: .milliseconds(1))
            honest.received(left: 0, hasAdvanced: true, isHeld: false)
        }
        #expect(honest.isOpen)
        #expect(keepers.count { !$0.isOpen } == 1)
    }

    @Test func `a connection that is not read from is weighed by the time that its bytes have been here`() {
        let stage = Stage(limit: 1000)
        let held = stage.connect()
        held.received(left: 300, hasAdvanced: true, isHeld: true)
        stage.loop.advanceTime(by: .seconds(10))
        let fresh = stage.connect()
        fresh.received(left: 701, hasAdvanced: false, isHeld: false)
        stage.loop.run()
        #expect(!held.isOpen && fresh.isOpen)
    }

    @Test func `each whole request begins the time anew`() {
        let stage = Stage(limit: 1000)
        let busy = stage.connect()
        let idle = stage.connect()
        busy.received(left: 600, hasAdvanced: false, isHeld: false)
        stage.loop.advanceTime(by: .seconds(5))
        idle.received(left: 300, hasAdvanced: false, isHeld: false)
        stage.loop.advanceTime(by: .seconds(1))
        busy.received(left: 700, hasAdvanced: true, isHeld: false)
        #expect(busy.isOpen && idle.isOpen)
        stage.loop.advanceTime(by: .milliseconds(10))
        busy.received(left: 701, hasAdvanced: false, isHeld: false)
        stage.loop.run()
        #expect(busy.isOpen && !idle.isOpen)
    }
}
