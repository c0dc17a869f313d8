import Foundation
import NodeServer

/// Finds the process of this machine that listens on an address, as `/proc` tells.
enum ListeningProcess {
    /// Nil for another machine's address, when nobody listens there, and when this user may not look.
    static func pid(at address: String) -> Int32? {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            return nil
        }
        let host = address[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
        guard HostAddresses(of: String(host), port: Int(port)).areLoopback else { return nil }
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }
        guard let inode = tables.lazy.compactMap({ Self.inode(ofPort: port, in: $0) }).first else { return nil }
        return owner(of: "socket:[\(inode)]")
    }

    /// From a table as in proc_net_tcp(5): the socket that listens (state 0A) on the port.
    static func inode(ofPort port: UInt16, in table: String) -> UInt64? {
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == "0A", let local = fields[1].split(separator: ":").last else { continue }
            if UInt16(local, radix: 16) == port { return UInt64(fields[9]) }
        }
        return nil
    }

    private static func owner(of link: String) -> Int32? {
        let files = FileManager.default
        let pids = (try? files.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return pids.first { pid in
            let folder = "/proc/\(pid)/fd"
            let open = (try? files.contentsOfDirectory(atPath: folder)) ?? []
            return open.contains { (try? files.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")) == link }
        }
    }
}
