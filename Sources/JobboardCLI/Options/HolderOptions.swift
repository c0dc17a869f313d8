import ArgumentParser
import Jobboard

/// A claim that somebody holds: which job, whose, and under which fence.
struct HolderOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The job's uuid.", valueName: "id"))
    var job: JobID

    @Option(help: ArgumentHelp("The name that claimed it.", valueName: "name"))
    var who: String

    @Option(help: ArgumentHelp("The claim's fence: refuse when the job was claimed again since.", valueName: "number"))
    var fence: UInt64?
}
