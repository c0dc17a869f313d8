import Foundation
public import Jobboard

extension Job {
    /// The details, decoded from JSON.
    /// - Throws: `DecodingError`, also when there are no details.
    public func details<Details: Decodable>(as type: Details.Type) throws -> Details {
        try JSONDecoder().decode(type, from: Data(details))
    }
}

extension NewJob {
    /// A job whose details are `details` as JSON.
    /// - Throws: `EncodingError`.
    public init(id: JobID = .random(), name: String, encoding details: some Encodable, priority: Priority = .normal) throws {
        self.init(id: id, name: name, details: Array(try JSONEncoder().encode(details)), priority: priority)
    }
}

extension JobboardClient {
    /// Puts a job on a board whose details are `details` as JSON.
    /// - Throws: as `post(_:board:timeout:)`, and `invalid_argument` when the details can't be encoded.
    public func post(
        _ name: String, details: some Encodable, priority: Priority = .normal, board: String? = nil, timeout: Duration? = nil
    ) async throws(JobboardError) -> PostedJob {
        let job: NewJob
        do {
            job = try NewJob(name: name, encoding: details, priority: priority)
        } catch {
            throw JobboardError(.invalidArgument, "the details can't be written as JSON: \(error)")
        }
        return try await post(job, board: board, timeout: timeout)
    }
}
