import NIOCore
import Testing

@testable import NodeServer

@Suite struct ConnectionTableTests {
    private let limits = ConnectionTable.Limits(
        total: 130, greeting: 30, greetingPerAddress: 10, peerGreeting: 8, peerGreetingPerAddress: 4)

    private func address(_ number: Int) throws -> ConnectionAddress {
        ConnectionAddress(try SocketAddress(ipAddress: "10.0.\(number / 256).\(number % 256)", port: 1))
    }

    @Test func `past its share an address loses its own oldest silent connection`() throws {
        var table = ConnectionTable(limits: limits)
        #expect(table.accept(1, on: .client, from: try address(1)) == nil)
        for number in UInt64(2)...11 { #expect(table.accept(number, on: .client, from: try address(2)) == nil) }
        #expect(table.accept(12, on: .client, from: try address(2)) == 2)
        #expect(table.greetingClients == 11)
    }

    @Test func `past the total the oldest silent connection of all goes`() throws {
        var table = ConnectionTable(limits: limits)
        for number in 1...30 { #expect(table.accept(UInt64(number), on: .client, from: try address(number)) == nil) }
        #expect(table.accept(31, on: .client, from: try address(31)) == 1)
        #expect(table.greetingClients == 30)
    }

    @Test func `a client that greets at once stays whatever flood comes behind it`() throws {
        var table = ConnectionTable(limits: limits)
        _ = table.accept(1, on: .client, from: try address(1))
        #expect(table.greet(1) { _ in true } == .welcome(shedding: nil))
        for number in UInt64(2)...5000 {
            let victim = table.accept(number, on: .client, from: try address(1))
            #expect(victim != 1)
            if let victim { table.close(victim) }
        }
        #expect(table.clients == 11)
    }

    @Test func `a flood of clients takes nothing from the peers' port, and the other way round`() throws {
        var table = ConnectionTable(limits: limits)
        _ = table.accept(1, on: .peer, from: try address(1))
        for number in 2...200 {
            if let victim = table.accept(UInt64(number), on: .client, from: try address(number)) {
                #expect(victim != 1)
                table.close(victim)
            }
        }
        #expect(table.greetingPeers == 1)
        #expect(table.greet(1) { _ in true } == .welcome(shedding: nil))
        for number in 300...400 {
            if let victim = table.accept(UInt64(number), on: .peer, from: try address(number)) {
                #expect(victim >= 300, "a peer that has proved itself is never shed")
                table.close(victim)
            }
        }
        #expect(table.greetingPeers == 8)
    }

    /// Fills a table with one connection of each of many addresses and the rest from a gateway.
    private func nearlyFull(gateway: Int) throws -> ConnectionTable {
        var table = ConnectionTable(limits: limits)
        for number in 1...90 {
            let from = try address(number <= gateway ? 0 : number)
            _ = table.accept(UInt64(number), on: .client, from: from)
            let verdict = table.greet(UInt64(number)) { _ in true }
            #expect(verdict == .welcome(shedding: nil), "a gateway is not limited while there is room")
        }
        return table
    }

    @Test func `near the total the address with the most connections loses its oldest idle one for each newcomer`() throws {
        var table = try nearlyFull(gateway: 40)
        _ = table.accept(100, on: .client, from: try address(200))
        // The first two are busy.
        #expect(table.greet(100) { $0 > 2 } == .welcome(shedding: 3))
        table.close(3)
        _ = table.accept(101, on: .client, from: try address(201))
        #expect(table.greet(101) { $0 > 2 } == .welcome(shedding: 4))
    }

    @Test func `where every address has one connection a full table refuses newcomers`() throws {
        var table = try nearlyFull(gateway: 1)
        for number in 91...100 {
            _ = table.accept(UInt64(number), on: .client, from: try address(number))
            #expect(table.greet(UInt64(number)) { _ in true } == .welcome(shedding: nil))
        }
        _ = table.accept(101, on: .client, from: try address(101))
        #expect(table.greet(101) { _ in true } == .refused)
        table.close(101)
        table.close(50)
        _ = table.accept(102, on: .client, from: try address(102))
        #expect(table.greet(102) { _ in true } == .welcome(shedding: nil))
    }

    @Test func `what is closed leaves nothing behind`() throws {
        var table = ConnectionTable(limits: limits)
        for number in 1...2000 {
            _ = table.accept(UInt64(number), on: number % 3 == 0 ? .peer : .client, from: try address(number % 7))
            if number % 2 == 0 { _ = table.greet(UInt64(number)) { _ in true } }
            table.close(UInt64(number))
        }
        #expect(table.count == 0)
        #expect(table.clients == 0 && table.greetingClients == 0 && table.greetingPeers == 0)
    }

    @Test func `of IPv6 a whole network of one subscriber counts as one address`() throws {
        let one = ConnectionAddress(try SocketAddress(ipAddress: "2001:db8:1:2::1", port: 1))
        #expect(one == ConnectionAddress(try SocketAddress(ipAddress: "2001:db8:1:2:ffff::9", port: 2)))
        #expect(one != ConnectionAddress(try SocketAddress(ipAddress: "2001:db8:1:3::1", port: 1)))
        #expect(
            ConnectionAddress(try SocketAddress(ipAddress: "::ffff:10.0.0.1", port: 1))
                == ConnectionAddress(try SocketAddress(ipAddress: "10.0.0.1", port: 1)))
    }
}

@Suite struct ByteLedgerTests {
    @Test func `past the limit the connection that holds the most has to go`() {
        var ledger = ByteLedger(limit: 100)
        #expect(ledger.set(50, of: 1) == nil)
        #expect(ledger.set(40, of: 2) == nil)
        #expect(ledger.set(11, of: 3) == 1)
        #expect(ledger.set(0, of: 1) == nil)
        #expect(ledger.total == 51)
        #expect(ledger.most == 40)
    }

    @Test func `what counts as the most is for the caller to say, and of equal ones the oldest goes`() {
        var ledger = ByteLedger(limit: 100)
        #expect(ledger.set(20, of: 1) == nil)
        #expect(ledger.set(20, of: 2) == nil)
        #expect(ledger.set(61, of: 3) { number, bytes in number == 3 ? 0 : bytes } == 1)
    }
}
