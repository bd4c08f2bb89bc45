import FoundationEssentials

/// Which line of opencode answers on a port, by HTTP, always with credentials and demanding JSON.
enum LineDetection: Hashable, Sendable {
    /// 1.x, with its version.
    case v1(String)
    /// 2.x, with its version.
    case v2(String)
    /// It is there, but not ready yet.
    case starting
    /// 401: there, but not with this password; on both lines.
    case wrongPassword
    /// Something answers that is neither.
    case foreign(String)
    /// Nobody answers.
    case absent(HTTPFailure)

    /// `/api/info` decides for 2.1 and later, `/global/health` for 1.x, `/api/health` for 2.0 alone: 1.18 has a preview
    /// of that one too, so it comes last.
    static func detect(_ loop: CurlLoop, _ endpoint: AgentEndpoint) async -> LineDetection {
        for question in [Question.info, .v1Health, .v2Health] {
            do throws(HTTPFailure) {
                let answer = try await loop.send(.get(question.rawValue, limit: Limits.healthTime), to: endpoint)
                if let line = question.line(answer) { return line }
            } catch {
                return .absent(error)
            }
        }
        return .foreign(
            "what listens on port \(endpoint.port) is no opencode server. Who it is: ss -ltnp 'sport = :\(endpoint.port)'."
        )
    }

    private enum Question: String {
        case info = "/api/info"
        case v1Health = "/global/health"
        case v2Health = "/api/health"

        /// Nil when this answer decides nothing.
        func line(_ answer: HTTPAnswer) -> LineDetection? {
            if answer.head.status == 401 { return .wrongPassword }
            guard answer.head.isJSON, let facts = Facts.read(answer.body) else { return nil }
            switch (self, answer.head.status) {
            case (.info, 200): return facts.pid == nil ? nil : facts.version.map(LineDetection.v2)
            case (.v1Health, 200):
                guard facts.healthy == true, let version = facts.version, version.hasPrefix("1.") else { return nil }
                return .v1(version)
            case (.v2Health, 200): return facts.pid == nil ? nil : .v2(facts.version ?? "2.0")
            case (.v2Health, 500), (.v2Health, 503): return facts.pid == nil ? nil : .starting
            case _: return nil
            }
        }
    }

    private struct Facts: Decodable {
        var healthy: Bool?
        var version: String?
        var pid: Int?

        static func read(_ body: [UInt8]) -> Facts? { try? JSONDecoder().decode(Facts.self, from: Data(body)) }
    }
}

extension LineDetection {
    /// What is wrong with what was found; nil when it is an opencode that serves.
    var complaint: String? {
        switch self {
        case .v1, .v2: nil
        case .starting: "it is starting"
        case .wrongPassword: AgentFailure.wrongPassword
        case .foreign(let words): words
        case .absent(let failure): failure.words
        }
    }
}
