import AgentModel
import FoundationEssentials

// What the calls of all lines have in common.
extension OpenCodeLine {
    /// What one look at its health shows: nil when it is well, else why not.
    func health() async -> String? {
        switch await attempt(.get(healthPath, limit: Limits.healthTime)) {
        case .failure(let failure): return failure.words
        case .success(let answer):
            if let failure = Self.failure(of: answer.head, body: answer.body) { return failure.message }
            let says = try? JSONDecoder().decode(HealthForm.self, from: Data(answer.body))
            return answer.head.isJSON && says != nil && says?.healthy != false
                ? nil : "\(healthPath) does not say that it is well"
        }
    }

    /// The one event stream: all directories.
    func events() -> AsyncStream<StreamInput> {
        var call = HTTPCall.get(Self.eventPath)
        call.limit = nil
        call.silence = silence
        call.answerBytes = .max
        return loop.open(call, to: endpoint)
    }

    /// Nil when the head is that of an event stream.
    static func failure(ofStream head: HTTPHead) -> AgentFailure? {
        if head.status == 200, head.contentType == "text/event-stream" { return nil }
        if let failure = failure(of: head, body: []) { return failure }
        return AgentFailure(.failed, "opencode answered \(head.contentType) where its event stream should be")
    }

    /// A body; encoding strings cannot fail in practice.
    static func json<Body: Encodable>(_ body: Body) throws(AgentFailure) -> [UInt8] {
        do { return Array(try JSONEncoder().encode(body)) } catch {
            throw AgentFailure(.failed, "the call could not be written as JSON: \(error)")
        }
    }

    /// The call's answer as a value.
    func read<Value: Decodable>(_ type: Value.Type, _ call: HTTPCall) async throws(AgentFailure) -> Value {
        let answer = try await answer(call)
        do { return try Self.decode(type, answer) } catch {
            throw AgentFailure(error.code, "\(error.message) (\(call.method.rawValue) \(call.path))")
        }
    }

    /// An answer with a good status and JSON in it.
    func answer(_ call: HTTPCall) async throws(AgentFailure) -> HTTPAnswer {
        let answer = try await outcome(of: call)
        if let failure = Self.failure(of: answer.head, body: answer.body) { throw failure }
        guard answer.head.isJSON else {
            throw AgentFailure(
                .failed,
                answer.head.contentType.isEmpty
                    ? "opencode's answer to \(call.path) broke off, or does not say what it is (no Content-Type)"
                    : "opencode answered \(call.path) with \(answer.head.contentType), not JSON: it does not know it")
        }
        return answer
    }

    /// An answer, whatever its status is.
    func outcome(of call: HTTPCall) async throws(AgentFailure) -> HTTPAnswer {
        switch await attempt(call) {
        case .failure(let failure):
            throw AgentFailure(.unavailable, "opencode could not be asked: \(failure.words)")
        case .success(let answer): return answer
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
            throw AgentFailure(
                .failed, "opencode's answer is not in the form of its \(name) line: \(FormFault.words(error))")
        }
    }

    /// What a status means; nil for 2xx.
    static func failure(of head: HTTPHead, body: [UInt8]) -> AgentFailure? {
        let words = message(in: body)
        return switch head.status {
        case 200..<300: nil
        case 401: AgentFailure(.refused, AgentFailure.wrongPassword)
        case 404: AgentFailure(.unknown, "opencode does not know this session (any more): \(words)")
        case 400: AgentFailure(.badRequest, "opencode refused the call: \(words)")
        // Others of this kind say that the call is wrong; these pass.
        case let status where (402..<500).contains(status) && ![403, 408, 425, 429].contains(status):
            AgentFailure(.badRequest, "opencode answered with status \(status): \(words)")
        case let status: AgentFailure(.failed, "opencode answered with status \(status): \(words)")
        }
    }

    /// Nobody waits for this answer.
    static func notWaiting(_ id: String) -> AgentFailure {
        AgentFailure(.unknown, "\(id) does not wait for an answer (any more); somebody else may have given it")
    }

    /// What a failure of a call means that only prepares for a turn: nothing was handed over by it, so that the turn may wait
    /// until opencode answers as it should. Not one that says that the call itself is wrong.
    static func beforeHandOver(_ failure: AgentFailure, _ what: String) -> AgentFailure {
        switch failure.code {
        case .failed, .refused:
            AgentFailure(
                .unavailable,
                "\(failure.message.hasSuffix(".") ? String(failure.message.dropLast()) : failure.message); \(what), so nothing "
                    + "was handed over")
        case .unavailable, .unknown, .busy, .badRequest: failure
        }
    }

    /// What a call of a prompt came to: see `prompt`.
    static func wasTaken(_ outcome: Result<HTTPAnswer, HTTPFailure>) throws(AgentFailure) -> Bool {
        switch outcome {
        case .success(let answer):
            guard let failure = failure(of: answer.head, body: answer.body) else { return true }
            // Who is not let in, or comes too often, is turned away before anything is done.
            let isTurnedAway = [401, 403, 429].contains(answer.head.status)
            throw isTurnedAway ? beforeHandOver(failure, "it did not take the message") : failure
        case .failure(.refused):
            throw AgentFailure(.unavailable, "opencode is not there: \(HTTPFailure.refused.words)")
        case .failure(.foreignListener(let port, let uid, let wanted)):
            let failure = HTTPFailure.foreignListener(port: port, uid: uid, wanted: wanted)
            throw AgentFailure(.unavailable, failure.words)
        case .failure(.closed), .failure(.broken), .failure(.timedOut), .failure(.tooLong), .failure(.cancelled):
            return false
        }
    }

    /// The message of any form of error.
    private static func message(in body: [UInt8]) -> String {
        let form = try? JSONDecoder().decode(ErrorForm.self, from: Data(body))
        return (form?.data?.message ?? form?.message ?? "no reason given").cut(to: 500)
    }
}

extension AgentFailure {
    static let wrongPassword =
        "opencode refuses the password. It must be started with the same OPENCODE_SERVER_PASSWORD that agent-worker was "
        + "given (in Supervisor.toml: one [secret.…] for both); or something else listens on its port."
}

/// The JSON of a refusal, in any of its forms: `{"data":{"message":…}}`, `{"message":…}`.
private struct ErrorForm: Decodable {
    var message: String?
    var data: Inner?

    struct Inner: Decodable {
        var message: String?
    }
}

/// What a healthy server says; not all say it in so many words.
private struct HealthForm: Decodable {
    var healthy: Bool?
}
