import AgentModel
import FoundationEssentials

extension V1Calls {
    /// The path of a session's call; the id is opencode's own, but it is not trusted to be a path segment.
    static func path(_ session: AgentSessionID, _ rest: String) -> String {
        "/session/\(HTTPCall.encoded(session.rawValue))\(rest)"
    }

    /// A body; encoding strings cannot fail in practice.
    static func json<Body: Encodable>(_ body: Body) throws(AgentFailure) -> [UInt8] {
        do { return Array(try JSONEncoder().encode(body)) } catch {
            throw AgentFailure(.failed, "the call could not be written as JSON: \(error)")
        }
    }

    /// The call's answer as a value.
    func read<Value: Decodable>(_ type: Value.Type, _ call: HTTPCall) async throws(AgentFailure) -> Value {
        try Self.decode(type, try await answer(call))
    }

    /// An answer with a good status and JSON in it.
    func answer(_ call: HTTPCall) async throws(AgentFailure) -> HTTPAnswer {
        switch await attempt(call) {
        case .failure(let failure):
            throw AgentFailure(.unavailable, "opencode could not be asked: \(failure.words)")
        case .success(let answer):
            if let failure = Self.failure(of: answer.head, body: answer.body) { throw failure }
            guard answer.head.isJSON else {
                throw AgentFailure(
                    .failed,
                    "opencode answered \(call.path) with \(answer.head.contentType), not JSON: it does not know it")
            }
            return answer
        }
    }

    /// The call's outcome as a value.
    func attempt(_ call: HTTPCall) async -> Result<HTTPAnswer, HTTPFailure> {
        do throws(HTTPFailure) { return .success(try await loop.send(call, to: endpoint)) } catch {
            return .failure(error)
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ answer: HTTPAnswer) throws(AgentFailure) -> Value {
        do { return try JSONDecoder().decode(type, from: Data(answer.body)) } catch {
            throw AgentFailure(.failed, "opencode's answer is not in the form of its 1.x line: \(error)")
        }
    }

    /// What a status means; nil for 2xx.
    static func failure(of head: HTTPHead, body: [UInt8]) -> AgentFailure? {
        let words = message(in: body)
        return switch head.status {
        case 200..<300: nil
        case 401: AgentFailure(.refused, Self.wrongPassword)
        case 404: AgentFailure(.unknown, "opencode does not know this session (any more): \(words)")
        case 400: AgentFailure(.failed, "opencode refused the call: \(words)")
        case let status: AgentFailure(.failed, "opencode answered with status \(status): \(words)")
        }
    }

    static let wrongPassword =
        "opencode refuses the password. It must be started with the same OPENCODE_SERVER_PASSWORD that agent-worker was "
        + "given (in Supervisor.toml: one [secret.…] for both); or something else listens on its port."

    /// The message of any of v1's forms of errors.
    private static func message(in body: [UInt8]) -> String {
        struct Form: Decodable {
            var message: String?
            var data: Inner?

            struct Inner: Decodable {
                var message: String?
            }
        }
        let form = try? JSONDecoder().decode(Form.self, from: Data(body))
        return (form?.data?.message ?? form?.message ?? "no reason given").cut(to: 500)
    }
}
