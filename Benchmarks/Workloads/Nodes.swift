import EventLog
import Jobboard
import NodeEngine
import NodeStorage

extension Workload {
    static let nodes = [
        Workload("node: 64 lives at once, through engine and log") {
            var node = try LoneNode(on: SimulatedDisk())
            return { times in
                for _ in 0..<times { try node.live(64) }
            }
        },
        Workload("node: 64 lives at once and 100 ticks, beside 100,000 parked requests") {
            var node = try LoneNode(on: SimulatedDisk())
            try node.park(waits: 70_000, claims: 30_000)
            return { times in
                for _ in 0..<times {
                    try node.live(64)
                    try node.tick(100)
                }
            }
        },
        Workload("node: 64 lives at once and 100 ticks") {
            var node = try LoneNode(on: SimulatedDisk())
            return { times in
                for _ in 0..<times {
                    try node.live(64)
                    try node.tick(100)
                }
            }
        },
        Workload("replay: a node starts again, with 1,024 lives in its log") {
            let disk = SimulatedDisk()
            var node = try LoneNode(on: disk)
            for _ in 0..<16 { try node.live(64) }
            node.close()
            return { times in
                for _ in 0..<times {
                    let again = try LoneNode.recover(from: disk)
                    precondition(again.engine.state.machine.lastPosition >= 3 * 1000, "nearly all of it was committed")
                    again.log.close()
                }
            }
        },
    ]
}
