import Wire

/// What the agent asks in a turn (docs/chat.md: `permission`, `question`), as something a person answers line by line.
public struct ChatAsk: Hashable, Sendable {
    /// The agent's id of the request.
    public let id: String
    private let kind: Kind
    /// To the questions before the current one.
    private var answers: [[String]] = []

    private enum Kind: Hashable, Sendable {
        case permission(action: String, resources: [String], always: [String], details: String?)
        case question([Question])
    }

    private struct Question: Hashable, Sendable {
        var header: String
        var text: String
        var options: [Option]
        var takesSeveral: Bool
        var takesOwnWords: Bool
    }

    private struct Option: Hashable, Sendable {
        var label: String
        var description: String
    }

    /// Nil for any other event.
    public init?(_ event: JSONValue) {
        guard let id = event["id"]?.text else { return nil }
        func texts(_ name: String) -> [String] { (event[name]?.elements ?? []).compactMap(\.text) }
        self.id = id
        switch event["type"]?.text {
        case "permission":
            kind = .permission(
                action: event["action"]?.text ?? "?", resources: texts("resources"), always: texts("always"),
                details: event["details"]?.text)
        case "question":
            let questions = (event["questions"]?.elements ?? []).map(Self.question)
            guard !questions.isEmpty else { return nil }
            kind = .question(questions)
        case _: return nil
        }
    }

    /// What is asked now, line by line; the last one says what can be typed.
    public var lines: [String] {
        switch kind {
        case .permission(let action, let resources, let always, let details):
            var lines = ["the agent wants leave: \(action) \(resources.joined(separator: ", "))"]
            if let details, !resources.contains(details) {
                lines += details.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
            }
            let wide = always.isEmpty ? "" : " (\(always.joined(separator: ", ")))"
            return lines + ["y once · a always\(wide) · n reject, also: n and why"]
        case .question(let questions):
            return Self.lines(of: questions, answers.count) + [Self.hint(questions[answers.count])]
        }
    }

    /// All that is asked, line by line, for whoever only reads it.
    public var whole: [String] {
        switch kind {
        case .permission: lines.dropLast()
        case .question(let questions): questions.indices.flatMap { Self.lines(of: questions, $0) }
        }
    }

    /// What it is about, in one line.
    public var brief: String {
        switch kind {
        case .permission(let action, let resources, _, _): "\(action) \(resources.joined(separator: ", "))"
        case .question(let questions): questions.map(\.text).joined(separator: "; ")
        }
    }

    private static func lines(of questions: [Question], _ index: Int) -> [String] {
        let question = questions[index]
        let place = questions.count > 1 ? " (\(index + 1) of \(questions.count))" : ""
        let header = question.header.isEmpty ? "" : "\(question.header): "
        let options = question.options.enumerated().map { index, option in
            "  \(index + 1)  \(option.label)\(option.description.isEmpty ? "" : " — \(option.description)")"
        }
        return ["the agent asks\(place): \(header)\(question.text)"] + options
    }

    /// What a line comes to.
    public enum Outcome: Hashable, Sendable {
        /// The members of the request that carries the answer, beside `op`, `session` and `id`.
        case answer([JSONValue.Member])
        /// The next question.
        case more
        /// Not understood: why.
        case again(String)
    }

    /// Takes what was typed.
    public mutating func take(_ line: String) -> Outcome {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let first = words.first else { return .again("nothing was typed") }
        switch kind {
        case .permission: return Self.permission(first.lowercased(), Array(words.dropFirst()))
        case .question(let questions):
            if words == ["-"] { return .answer([.init("reply", .string("dismiss"))]) }
            let question = questions[answers.count]
            switch Self.chosen(line, words, question) {
            case .failure(let refusal): return .again(refusal.words)
            case .success(let chosen): answers.append(chosen)
            }
            guard answers.count == questions.count else { return .more }
            return .answer([.init("answers", .array(answers.map { .array($0.map(JSONValue.string)) }))])
        }
    }

    private static func permission(_ word: String, _ rest: [String]) -> Outcome {
        switch (word, rest.isEmpty) {
        case ("y", true), ("yes", true), ("once", true): return .answer([.init("reply", .string("once"))])
        case ("a", true), ("always", true): return .answer([.init("reply", .string("always"))])
        case ("n", _), ("no", _), ("reject", _):
            let why = rest.joined(separator: " ")
            let message = why.isEmpty ? [] : [JSONValue.Member("message", .string(why))]
            return .answer([.init("reply", .string("reject"))] + message)
        case _: return .again("type y, a or n")
        }
    }

    private struct Refusal: Error {
        var words: String
    }

    /// Numbers of options (with blanks or commas between them), a label, or own words.
    private static func chosen(
        _ line: String, _ words: [String], _ question: Question
    ) -> Result<[String], Refusal> {
        let numbers = line.split { $0 == "," || $0.isWhitespace }.map { Int($0) }
        if !question.options.isEmpty, numbers.allSatisfy({ $0 != nil }) {
            let places = numbers.compactMap { $0 }
            guard places.allSatisfy({ question.options.indices.contains($0 - 1) }) else {
                return .failure(Refusal(words: "there are options 1 to \(question.options.count)"))
            }
            if places.count > 1, !question.takesSeveral { return .failure(Refusal(words: "only one can be chosen")) }
            return .success(places.map { question.options[$0 - 1].label })
        }
        let text = words.joined(separator: " ")
        guard question.takesOwnWords || question.options.contains(where: { $0.label == text }) else {
            return .failure(Refusal(words: "type the number of an option"))
        }
        return .success([text])
    }

    private static func question(_ value: JSONValue) -> Question {
        Question(
            header: value["header"]?.text ?? "", text: value["question"]?.text ?? "?",
            options: (value["options"]?.elements ?? []).compactMap { option in
                option["label"]?.text.map { Option(label: $0, description: option["description"]?.text ?? "") }
            },
            takesSeveral: value["multiple"]?.flag ?? false, takesOwnWords: value["custom"]?.flag ?? true)
    }

    private static func hint(_ question: Question) -> String {
        var ways: [String] = []
        if !question.options.isEmpty { ways.append(question.takesSeveral ? "numbers" : "a number") }
        if question.takesOwnWords { ways.append("your own words") }
        return (ways + ["- to put it aside"]).joined(separator: " · ")
    }
}
