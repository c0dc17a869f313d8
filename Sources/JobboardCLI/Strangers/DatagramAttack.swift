import Consensus
import EventLog
import Foundation
import WireFormat

/// Datagrams that no node has sealed: garbage of all sizes, and some that look right but for their code.
final class DatagramAttack: Attack {
    private(set) var tally = AttackTally()
    private let scene: AttackScene
    private var dice: SplitMix64
    private var pace: AttackPace
    private let file: Int32

    init(_ scene: AttackScene, _ dice: SplitMix64) {
        self.scene = scene
        self.dice = dice
        pace = AttackPace(3000, scene)
        file = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    deinit { _ = close(file) }

    func step() {
        for _ in 0..<pace.due() {
            let target = scene.targets[tally.sent % scene.targets.count]
            let bytes =
                Bool.random(using: &dice) ? StrangerBytes.random(Int.random(in: 0...1400, using: &dice), &dice) : forged(target)
            _ = Loopback.withAddress(last: 1, port: target.peerPort) { address, length in
                bytes.withUnsafeBytes { sendto(file, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT), address, length) }
            }
            tally.sent += 1
            tally.sentBytes += bytes.count
        }
    }

    /// Right down to the message; the code behind it can only be guessed.
    private func forged(_ target: AttackScene.Target) -> [UInt8] {
        var writer = ByteWriter()
        writer.u32(0x5544_424a)
        writer.u8(1)
        writer.u64(BlockCodec.clusterTag(scene.cluster))
        writer.u64(scene.targets.first { $0.node != target.node }?.node ?? 1)
        writer.u64(target.node)
        writer.u64(.max)
        writer.u64(.max)
        writer.raw(StrangerBytes.random(Int.random(in: 0...200, using: &dice), &dice))
        return writer.bytes
    }
}
