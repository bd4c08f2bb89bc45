import AgentModel

/// A field of a form; `type` decides: string, number, integer, boolean, multiselect, external. A type that is not known
/// is asked for as a text.
struct V2FormField: Decodable {
    let key: String
    private let type: String
    private let title: String?
    private let description: String?
    private let required: Bool?
    private let hidden: Bool?
    private let when: [Condition]?
    private let options: [Option]?
    private let custom: Bool?
    private let url: String?

    private struct Option: Decodable {
        let value: String
        let label: String
        let description: String?
    }

    /// It counts only when an earlier field has, or has not, this value.
    private struct Condition: Decodable {
        let key: String
        let op: String
        let value: V2FormValue
    }

    private static let yes = "yes"
    private static let no = "no"
    private static let done = "done"

    var isHidden: Bool { hidden == true }

    func question(in form: String) -> QuestionAsk.Question {
        let words = [description ?? title ?? form, url].compactMap(\.self).joined(separator: " ")
        return QuestionAsk.Question(
            header: title ?? "", question: words, options: choices, multiple: type == "multiselect",
            custom: takesOwnWords)
    }

    private var choices: [QuestionAsk.Option] {
        switch type {
        case "boolean": [.init(label: Self.yes, description: ""), .init(label: Self.no, description: "")]
        case "external": [.init(label: Self.done, description: "after opening the address")]
        case _: (options ?? []).map { .init(label: $0.label, description: $0.description ?? "") }
        }
    }

    /// A field without options takes any text; one with them says whether it does.
    private var takesOwnWords: Bool {
        switch type {
        case "boolean", "external": false
        case _: options == nil || custom == true
        }
    }

    func isActive(with values: [String: V2FormValue]) -> Bool {
        (when ?? []).allSatisfy { condition in
            guard let value = values[condition.key] else { return false }
            let hit =
                if case .texts(let texts) = value { texts.contains { .text($0) == condition.value } } else {
                    value == condition.value
                }
            return condition.op == "eq" ? hit : !hit
        }
    }

    /// Nil: nothing is said to this field.
    func value(of chosen: [String]) throws(AgentFailure) -> V2FormValue? {
        guard let first = chosen.first else {
            guard required == true else { return nil }
            throw AgentFailure(.refused, "an answer is needed to '\(title ?? key)'")
        }
        switch type {
        case "external": return nil
        case "boolean": return .yes(first == Self.yes)
        case "multiselect": return .texts(chosen.map(value))
        case "number", "integer":
            guard let number = Double(first), number.isFinite, type == "number" || number == number.rounded() else {
                throw AgentFailure(.refused, "'\(first)' is no \(type) for '\(title ?? key)'")
            }
            return .number(number)
        case _: return .text(value(of: first))
        }
    }

    /// The value that a label stands for; own words stand for themselves.
    private func value(of label: String) -> String { options?.first { $0.label == label }?.value ?? label }
}
