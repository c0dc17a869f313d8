import Jobboard
import Testing

@testable import NodeEngine

@Suite struct PresentedSessionsTests {
    private static func key(_ number: UInt64) -> SessionKey { SessionKey(high: 2, low: number) }

    /// A machine with the sessions of these keys, numbered from 1.
    private static func machine(_ keys: [UInt64]) -> BoardMachine {
        var machine = BoardMachine()
        var events: [Event] = []
        for key in keys {
            let open = Command.openSession(Self.key(key), ttlMilliseconds: 60_000)
            _ = machine.apply(
                SessionCommand(session: 0, sequence: 0, acknowledgedBelow: 0, command: open), events: &events)
        }
        return machine
    }

    @Test func `a number stands for a session only on the connection on which its token was presented`() {
        let machine = Self.machine([7, 8])
        var presented = PresentedSessions()
        #expect(presented.present(Self.key(8), as: 1, on: 5, limit: 64, in: machine) == nil)
        #expect(presented.number(of: 1, on: 5) == nil)
        #expect(presented.lookUp(1, on: 5, in: machine) == 2 && presented.number(of: 1, on: 5) == 2)
        #expect(presented.lookUp(1, on: 6, in: machine) == nil && presented.lookUp(2, on: 5, in: machine) == nil)
        presented.forget(5)
        #expect(presented.number(of: 1, on: 5) == nil && presented.count == 0)
    }

    @Test func `a number can't stand for two sessions, and may be given again to the same one`() {
        let machine = Self.machine([7, 8])
        var presented = PresentedSessions()
        for _ in 1...2 { #expect(presented.present(Self.key(7), as: 1, on: 5, limit: 64, in: machine) == nil) }
        #expect(presented.present(Self.key(8), as: 1, on: 5, limit: 64, in: machine)?.code == .invalidArgument)
        #expect(presented.lookUp(1, on: 5, in: machine) == 1 && presented.count == 1)
    }

    @Test func `a connection has a bounded number of sessions, and those that have ended make room`() {
        let machine = Self.machine([1, 2])
        var presented = PresentedSessions()
        for number in [1, 2, 3] as [UInt64] {
            #expect(presented.present(Self.key(number), as: number, on: 5, limit: 3, in: machine) == nil)
        }
        // The third one is not there.
        #expect(presented.present(Self.key(4), as: 4, on: 5, limit: 3, in: Self.machine([1, 2, 4])) == nil)
        let refused = presented.present(Self.key(5), as: 5, on: 5, limit: 3, in: Self.machine([1, 2, 4]))
        #expect(refused?.code == .overloaded && presented.count == 3)
        #expect(presented.present(Self.key(5), as: 5, on: 6, limit: 3, in: machine) == nil)
    }
}
