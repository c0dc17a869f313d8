import ArgumentParser

/// `jobboard`: one subcommand a file.
struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobboard",
        abstract: "A replicated job board: post work, claim it, consume it exactly once.",
        discussion: """
            Begin with 'jobboard demo': it starts a cluster of its own, works off ten thousand jobs, kills the leader \
            meanwhile, and checks that every job was consumed exactly once.

            By hand:
              jobboard serve                                    one node on loopback, in ./jobboard-data
              jobboard post resize --details '{"width":640}'    prints the job
              jobboard work --who me -- ./resize.sh             runs a command for each job

            Data goes to standard output, everything else to standard error. Exit codes: 0 ok, 1 failed, 2 usage, \
            3 not found, 4 refused, 5 unavailable, 6 not allowed, 7 nothing to claim in time, 8 outcome unknown.
            """,
        version: "jobboard 0.1.0",
        groupedSubcommands: [
            CommandGroup(name: "Start here", subcommands: [DemoCommand.self]),
            CommandGroup(
                name: "Jobs",
                subcommands: [
                    PostCommand.self, ListCommand.self, ShowCommand.self, ClaimCommand.self, ExtendCommand.self,
                    AbandonCommand.self, ConsumeCommand.self, OwnerCommand.self, CountCommand.self,
                ]),
            CommandGroup(name: "Long-running", subcommands: [WorkCommand.self, WatchCommand.self]),
            CommandGroup(
                name: "Nodes",
                subcommands: [
                    ServeCommand.self, StatusCommand.self, SecretCommand.self, LogCommand.self, BenchCommand.self,
                ]),
            CommandGroup(
                name: "Proofs",
                subcommands: [
                    SimulateCommand.self, SearchCommand.self, ChaosCommand.self, StrangersCommand.self, CheckHistoryCommand.self,
                ]),
        ])
}
