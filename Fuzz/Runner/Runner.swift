import CLibFuzzer
import FuzzTargets
import Glibc

/// Fuzzes the target that `JOBBOARD_FUZZ_TARGET` names, with libFuzzer's options; without it, lists the targets, each
/// with its longest input. A variable and no argument, since libFuzzer starts itself again with its own arguments.
@main enum Runner {
    static func main() {
        guard let name = getenv("JOBBOARD_FUZZ_TARGET").map({ String(cString: $0) }) else {
            for target in FuzzTarget.all { print(target.name, target.maximumBytes) }
            return
        }
        guard FuzzTarget.named(name) != nil else {
            print("no fuzz target is called \(name)")
            exit(2)
        }
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        let status = LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            chosen.check([UInt8](UnsafeRawBufferPointer(start: data, count: size)))
            return 0
        }
        exit(status)
    }
}

/// A C callback captures nothing, so what it needs is found from outside.
private let chosen = FuzzTarget.named(String(cString: getenv("JOBBOARD_FUZZ_TARGET")))!
