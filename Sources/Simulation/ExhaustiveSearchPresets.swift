extension SearchBounds {
    /// Three empty nodes to whom nothing happens but messages and writes.
    package static let nothing = {
        var bounds = SearchBounds()
        (bounds.terms, bounds.proposals, bounds.crashes, bounds.timeouts, bounds.messages) = (2, 0, 0, 1, 3)
        return bounds
    }()

    /// Bounds worth searching, by name: each is exhausted in a minute or less.
    package static let named: [String: SearchBounds] = [
        "election": make { ($0.terms, $0.timeouts, $0.messages) = (2, 2, 2) },
        "figure-8": make {
            ($0.start, $0.terms, $0.timeouts, $0.messages, $0.appendsAreSingle) = (.figure8, 4, 2, 2, true)
        },
        "late-copies": make {
            ($0.start, $0.copies, $0.terms, $0.timeouts, $0.messages) = (.led, 2, 2, 2, 1)
        },
        "late-copies-anywhere": make {
            ($0.start, $0.copies, $0.asksFollowers, $0.terms, $0.timeouts, $0.messages) = (.led, 2, true, 2, 2, 1)
        },
        "leader-crash": make { ($0.start, $0.proposals, $0.crashes, $0.messages) = (.led, 1, 1, 1) },
        "log-loss": make {
            ($0.start, $0.losses, $0.proposals, $0.terms, $0.timeouts, $0.messages) = (.led, 1, 1, 6, 2, 1)
        },
        "reads": make { ($0.start, $0.reads, $0.timeouts, $0.messages) = (.led, 1, 2, 1) },
        "vote-loss": make { ($0.losses, $0.terms, $0.timeouts, $0.messages) = (1, 6, 2, 1) },
        "vote-crash": make { ($0.crashes, $0.timeouts, $0.terms, $0.messages) = (1, 2, 1, 1) },
    ]

    private static func make(_ change: (inout SearchBounds) -> Void) -> SearchBounds {
        var bounds = nothing
        change(&bounds)
        return bounds
    }
}
