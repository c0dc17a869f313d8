import ArgumentParser

/// In which form data goes to standard output.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// Aligned columns for people.
    case table
    /// One JSON value.
    case json
    /// One JSON value a line.
    case jsonl
    /// Identities alone, one a line.
    case id
}

/// `-o`.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("How to print: table, json, jsonl or id. Default: table on a terminal, else jsonl.", valueName: "form")
    )
    var output: OutputFormat?

    var format: OutputFormat {
        output ?? (Console.isOutputTerminal ? .table : .jsonl)
    }
}
