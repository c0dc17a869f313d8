import Foundation

/// Has glibc's allocator keep more of what a thread frees at hand for it.
///
/// A batch of commands allocates hundreds of pieces of one size and frees them together; by default a thread keeps seven of
/// each size, and all others take the slow way. That was an eighth of a node's processor time (`Benchmarks/SPEED.md`).
enum AllocatorTuning {
    /// The subcommands that gain from it and start no programs of others, who would inherit it.
    static let commands: Set = ["bench", "serve"]

    private static let variable = "GLIBC_TUNABLES"
    private static let tunables =
        "glibc.malloc.tcache_count=1024:glibc.malloc.trim_threshold=67108864:glibc.malloc.top_pad=1048576"

    /// Starts this program again with the tunables, which are read before `main`: same process, same arguments. Returns when
    /// they were given already, by us or by whoever wants others, and when the program can't be started again.
    static func apply() {
        guard getenv(variable) == nil, let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        else { return }
        setenv(variable, tunables, 1)
        execv(program, CommandLine.unsafeArgv)
        unsetenv(variable)
    }
}
