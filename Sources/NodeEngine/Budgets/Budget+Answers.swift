/// What a leader remembers of answers that are not in the log.
extension Budget {
    static let answers = [effectlessAnswers]

    package static let effectlessAnswers = Budget(
        "effectless_answers", per: .node, 262_144, .count,
        meaning: "Requests that the leader answered without an effect in its term; at most 4096 of one session.",
        whenExceeded: "The sessions that keep most lose their lowest; a copy of such a request is refused with outcome `unknown`."
    )
}
