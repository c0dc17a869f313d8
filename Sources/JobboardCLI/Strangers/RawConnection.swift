import Foundation
import WireFormat

/// A TCP connection to a node that does nothing by itself: it sends the bytes it is given, well-formed or not, and reads only
/// when it is told to. For one thread alone.
final class RawConnection {
    /// POLLRDHUP, which the C library keeps behind a macro: the other side sends nothing more.
    private static let hungUp: Int16 = 0x2000

    private let file: Int32
    private(set) var isClosed = false
    /// What the socket has not taken yet.
    private var unsent: [UInt8] = []
    private var received: [UInt8] = []
    private var consumed = 0

    /// Begins to connect; nil when there is no descriptor or port left.
    /// - Parameters:
    ///   - port: of a node on 127.0.0.1.
    ///   - source: the last byte of the address of loopback from which it connects, so that a node that counts connections by
    ///     address tells strangers from the honest client, which has 127.0.0.1.
    ///   - receiveBuffer: how much the system keeps of what is never read.
    init?(to port: Int, from source: UInt8, receiveBuffer: Int32? = nil) {
        file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return nil }
        if var receiveBuffer {
            setsockopt(file, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var one: Int32 = 1
        setsockopt(file, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        // Without this each source address would use up a port of its own at bind, not at connect.
        setsockopt(file, Int32(IPPROTO_IP), 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, socklen_t(MemoryLayout<Int32>.size))
        var code = Loopback.withAddress(last: source, port: 0) { bind(file, $0, $1) }
        if code == 0 {
            code = Loopback.withAddress(last: 1, port: port) { connect(file, $0, $1) }
            if code != 0, errno == EINPROGRESS { code = 0 }
        }
        if code != 0 { close() }
    }

    deinit { close() }

    var descriptor: Int32 { file }
    var hasUnsent: Bool { !unsent.isEmpty }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        unsent = []
        received = []
        _ = Foundation.close(file)
    }

    /// Ends the connection with a reset instead of a farewell.
    func reset() {
        guard !isClosed else { return }
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(file, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        close()
    }

    /// Sends now what the socket takes, and keeps the rest for `pump`.
    func send(_ bytes: [UInt8]) {
        guard !isClosed else { return }
        unsent += bytes
        pump()
    }

    /// Goes on sending.
    func pump() {
        var done = 0
        while !isClosed, done < unsent.count {
            let count = unsent[done...].withUnsafeBytes {
                Foundation.send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                done += count
            } else if errno == EAGAIN || errno == ENOTCONN || errno == EINTR {
                break
            } else {
                return close()
            }
        }
        unsent.removeFirst(min(done, unsent.count))
    }

    /// Reads what is there, at most so much, and notices when the node has closed.
    /// - Parameter isKept: false throws the bytes away.
    @discardableResult
    func read(isKept: Bool, atMost most: Int = 1 << 20) -> Int {
        var total = 0
        while !isClosed, total < most {
            let count = withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer -> Int in
                let count = recv(file, buffer.baseAddress, buffer.count, 0)
                if isKept, count > 0 { received += buffer[..<count] }
                return count
            }
            if count > 0 {
                total += count
            } else if count < 0, errno == EAGAIN || errno == ENOTCONN || errno == EINTR {
                break
            } else {
                close()
            }
        }
        return total
    }

    /// Notices that the node has closed, without reading anything.
    func look() {
        guard !isClosed else { return }
        var state = pollfd(fd: file, events: Self.hungUp, revents: 0)
        guard poll(&state, 1, 0) > 0 else { return }
        if state.revents & (Int16(POLLERR | POLLHUP) | Self.hungUp) != 0 { close() }
    }

    /// The body of the next whole frame among what was read and kept.
    func nextFrame() -> [UInt8]? {
        let rest = received.count - consumed
        guard rest >= Framing.prefixLength else { return nil }
        let length = received.withUnsafeBytes {
            Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: consumed, as: UInt32.self)))
        }
        guard rest >= Framing.prefixLength + length else { return nil }
        let start = consumed + Framing.prefixLength
        let body = Array(received[start..<start + length])
        consumed = start + length
        if consumed == received.count || consumed > 1 << 20 {
            received.removeFirst(consumed)
            consumed = 0
        }
        return body
    }
}

/// Addresses 127.0.0.x.
enum Loopback {
    static func withAddress<Result>(
        last: UInt8, port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = (0x7f00_0000 | UInt32(last)).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
