import Foundation

/// Ports of loopback that nobody listens on.
enum FreePorts {
    private static let lowest = 10_000
    private static let tries = 10_000

    /// So many, each free for TCP and for UDP, outside the range from which the system picks ports for outgoing connections:
    /// a port from there could be taken while its node is being restarted.
    static func find(_ count: Int) throws(CommandFailure) -> [Int] {
        let end = max(lowest + 1000, min(65_535, firstOutgoing()))
        var ports: [Int] = []
        for _ in 0..<tries where ports.count < count {
            let port = Int.random(in: lowest..<end)
            if !ports.contains(port), isFree(port, SOCK_STREAM), isFree(port, SOCK_DGRAM) { ports.append(port) }
        }
        guard ports.count == count else { throw .failed("found no free ports on loopback") }
        return ports
    }

    private static func firstOutgoing() -> Int {
        let text = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        return text?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 32_768
    }

    private static func isFree(_ port: Int, _ kind: __socket_type) -> Bool {
        let file = socket(AF_INET, Int32(kind.rawValue), 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
