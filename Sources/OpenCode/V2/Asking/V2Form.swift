import AgentModel

/// A form that waits for the user: what questions are in 2.x. Each field that is to be filled in is a question.
struct V2Form: Decodable {
    let id: String
    let sessionID: String
    private let title: String
    private let fields: [V2FormField]
    private let metadata: Metadata?
    /// Only where one form was asked for.
    private let state: State?

    private struct Metadata: Decodable {
        let tool: V2Source?

        private enum CodingKeys: String, CodingKey {
            case tool
        }

        /// Anything may stand in it.
        init(from decoder: any Decoder) throws {
            tool = try? decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(V2Source.self, forKey: .tool)
        }
    }

    private struct State: Decodable {
        let status: String
    }

    /// False when it was answered or cancelled.
    var isPending: Bool { state.map { $0.status == "pending" } ?? true }

    private var asked: [V2FormField] { fields.filter { !$0.isHidden } }

    var ask: QuestionAsk {
        QuestionAsk(id: id, questions: asked.map { $0.question(in: title) }, tool: metadata?.tool?.toolCall)
    }

    /// The answer as the form wants it: labels become values, texts numbers; what was not answered, and what an answer
    /// before it makes pointless, is left out.
    func answer(_ answers: [[String]]) throws(AgentFailure) -> [String: V2FormValue] {
        var values: [String: V2FormValue] = [:]
        for (field, chosen) in zip(asked, answers) where field.isActive(with: values) {
            if let value = try field.value(of: chosen) { values[field.key] = value }
        }
        return values
    }
}

/// What a field holds.
enum V2FormValue: Codable, Hashable {
    case text(String)
    case texts([String])
    case number(Double)
    case yes(Bool)

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let yes = try? value.decode(Bool.self) {
            self = .yes(yes)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let texts = try? value.decode([String].self) {
            self = .texts(texts)
        } else {
            self = .text(try value.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .text(let text): try value.encode(text)
        case .texts(let texts): try value.encode(texts)
        // A whole number is written without a point: some fields take nothing else.
        case .number(let number):
            if let whole = Int64(exactly: number) { try value.encode(whole) } else { try value.encode(number) }
        case .yes(let yes): try value.encode(yes)
        }
    }
}
