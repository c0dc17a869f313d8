import Jobboard
import WireFormat

extension Workload {
    static let codecs = [
        Workload("codec: a post in the log, there and back") {
            let calls = Samples.posts(1, session: 7)
            return { times in
                for _ in 0..<times {
                    let bytes = CommandCodec.encode(calls)
                    keep(try bytes.withUnsafeBytes { try CommandCodec.decode($0, count: 1) })
                }
            }
        },
        Workload("codec: a client's post, there and back") {
            let request = Request.write(Samples.posts(1, session: 7)[0], Sending(term: 3))
            return { times in
                var frame: [UInt8] = []
                for _ in 0..<times {
                    frame.removeAll(keepingCapacity: true)
                    ClientCodec.append(request, number: 1, to: &frame)
                    try frame.withUnsafeBytes { bytes in
                        keep(try ClientCodec.decodeRequest(.init(rebasing: bytes[Framing.prefixLength...])))
                    }
                }
            }
        },
    ]
}
