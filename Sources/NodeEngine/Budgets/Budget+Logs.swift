/// What lines of log may take while whoever reads standard error is slow, or while strangers cause them.
extension Budget {
    static let logs = [logLines, logBytes, strangerLines, strangerField]

    package static let logLines = Budget(
        "log_lines", per: .node, 4096, .count, meaning: "Lines of log that standard error has not taken yet.",
        whenExceeded: "The line is dropped; a later line tells how many were.")

    package static let logBytes = Budget(
        "log_bytes", per: .node, 1 << 20, .bytes, meaning: "The same lines in bytes.",
        whenExceeded: "The line is dropped; a later line tells how many were.")

    package static let strangerLines = Budget(
        "stranger_log_lines", per: .node, 5, .count,
        meaning: "Lines of log about one kind of fault of strangers at once; then one a second.",
        whenExceeded: "The line is dropped; the next one tells how many were.")

    package static let strangerField = Budget(
        "stranger_field_bytes", per: .node, 200, .bytes,
        meaning: "A field of a line of log that holds what a stranger sent.", whenExceeded: "The field is cut off.")
}
