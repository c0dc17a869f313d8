import NIOCore

/// Where connections come from, as limits count it: an IPv4 address, or the /64 of an IPv6 address, since one subscriber
/// has all addresses in it.
struct ConnectionAddress: Hashable, Sendable {
    private enum Family: UInt8 {
        case other, v4, v6
    }

    private var family = Family.other
    private var prefix: UInt64 = 0

    init(_ address: SocketAddress?) {
        switch address {
        case .v4: set(.v4, Self.bytes(of: address)[4..<8])
        case .v6:
            let bytes = Self.bytes(of: address)[8..<24]
            let isMappedV4 = bytes[8..<18].allSatisfy { $0 == 0 } && bytes[18] == 0xff && bytes[19] == 0xff
            if isMappedV4 { set(.v4, bytes[20..<24]) } else { set(.v6, bytes[8..<16]) }
        default: break
        }
    }

    private mutating func set(_ family: Family, _ bytes: ArraySlice<UInt8>) {
        self.family = family
        prefix = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A `sockaddr_in` has its address at byte 4, a `sockaddr_in6` at byte 8.
    private static func bytes(of address: SocketAddress?) -> [UInt8] {
        address?.withSockAddr { pointer, count in Array(UnsafeRawBufferPointer(start: pointer, count: count)) } ?? []
    }
}
