import Glibc
import NIOCore

/// The addresses that a host stands for, by the system's resolver: an address stands for itself, a name for one or more.
///
/// Whether a host is this machine alone is a matter of its addresses and never of how it is spelled: `127.0.0.1.example.com` is a
/// name that anyone may own.
package struct HostAddresses: Sendable {
    package enum Family: Sendable, Equatable {
        case v4, v6
    }

    /// In the resolver's order, each once; empty when the host is not known at the moment.
    private let addresses: [SocketAddress]

    /// Asks the resolver, which may take seconds.
    package init(of host: String, port: Int) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        // Brackets belong to "host:port", not to a host.
        guard getaddrinfo(host, "\(port)", &hints, &first) == 0 else {
            addresses = []
            return
        }
        defer { freeaddrinfo(first) }
        var found: [SocketAddress] = []
        var next = first
        while let info = next?.pointee {
            next = info.ai_next
            guard let address = Self.address(info), !found.contains(address) else { continue }
            found.append(address)
        }
        addresses = found
    }

    private static func address(_ info: addrinfo) -> SocketAddress? {
        guard let pointer = UnsafeRawPointer(info.ai_addr) else { return nil }
        switch info.ai_family {
        case AF_INET: return SocketAddress(pointer.load(as: sockaddr_in.self))
        case AF_INET6: return SocketAddress(pointer.load(as: sockaddr_in6.self))
        default: return nil
        }
    }

    package var isKnown: Bool { !addresses.isEmpty }

    /// Every address is of this machine alone.
    package var areLoopback: Bool { isKnown && addresses.allSatisfy(Self.isLoopback) }

    /// The one to bind.
    var first: SocketAddress? { addresses.first }

    /// The first one that a socket of this family can send to.
    func first(_ family: Family) -> SocketAddress? { addresses.first { Self.family(of: $0) == family } }

    static func family(of address: SocketAddress) -> Family? {
        switch address {
        case .v4: .v4
        case .v6: .v6
        default: nil
        }
    }

    /// 127.0.0.0/8, ::1, or the first as IPv4-mapped IPv6 (::ffff:127.0.0.0/104). The address in a `sockaddr_in` is at byte 4, in
    /// a `sockaddr_in6` at byte 8.
    private static func isLoopback(_ address: SocketAddress) -> Bool {
        let all = address.withSockAddr { pointer, count in Array(UnsafeRawBufferPointer(start: pointer, count: count)) }
        switch family(of: address) {
        case .v4: return all[4] == 127
        case .v6:
            let bytes = all[8..<24]
            if bytes.dropLast(4).elementsEqual([UInt8](repeating: 0, count: 10) + [0xff, 0xff]) { return bytes[20] == 127 }
            return bytes.dropLast().allSatisfy { $0 == 0 } && bytes[23] == 1
        case nil: return false
        }
    }
}
