import Glibc
import Workloads

/// Does one workload so many times and nothing else, for `Scripts/check-benchmarks`, which counts its instructions.
/// Without arguments it names the workloads, a line each.
@main
enum InstructionCounts {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first else {
            for workload in Workload.all { print(workload.name) }
            return
        }
        guard let workload = Workload.all.first(where: { $0.name == name }), arguments.count == 2,
            let times = Int(arguments[arguments.startIndex + 1]), times >= 0
        else {
            print("usage: InstructionCounts [WORKLOAD TIMES]")
            exit(2)
        }
        try workload.prepare()(times)
    }
}
