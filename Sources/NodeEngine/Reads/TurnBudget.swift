/// What the answers of one turn may still cost. What does not fit waits for a following turn, and sockets are served in
/// between.
struct TurnBudget: Sendable {
    var bytes = 0
    /// Jobs and events looked at.
    var records = 0
    /// Parked requests that are answered or expire.
    var answers = 0

    init() {}

    init(_ settings: EngineSettings) {
        bytes = settings.answerBytesPerTurn
        records = settings.scannedRecordsPerTurn
        answers = settings.parkedAnswersPerTurn
    }

    var mayAnswer: Bool { bytes > 0 && records > 0 }
}
