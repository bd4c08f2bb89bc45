import Wire

/// What the agent asks in a turn (docs/chat.md: `permission`, `question`), as something a person answers line by line.
public struct ChatAsk: Hashable, Sendable {
    /// The agent's id of the request.
    public let id: String
    private let kind: Kind
    /// What comes of it when nobody answers, and when; nil: that is not known.
    private let limit: String?
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
        limit = Self.limit(event["unanswered"])
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

    /// What is asked now, line by line; the last one says what can be typed, and one before it what comes of silence.
    public var lines: [String] {
        asked + [limit, hint].compactMap(\.self)
    }

    private static func limit(_ unanswered: JSONValue?) -> String? {
        guard let answer = unanswered?["answer"]?.text, let at = unanswered?["at"]?.number else { return nil }
        let time = WallTime(nanosecondsSince1970: at &* 1_000_000).local
        let words =
            switch answer {
            case "reject": "it is rejected"
            case "once": "it is allowed once"
            case _: "it is put aside"
            }
        return "if nobody answers by \(time), \(words)"
    }

    private var hint: String {
        switch kind {
        case .permission(_, _, let always, _):
            let wide = always.isEmpty ? "" : " (\(always.joined(separator: ", ")))"
            return "y once · a always\(wide) · n reject, also: n and why"
        case .question(let questions): return Self.hint(questions[answers.count])
        }
    }

    private var asked: [String] {
        switch kind {
        case .permission(let action, let resources, _, let details):
            var lines = ["the agent wants leave: \(action) \(resources.joined(separator: ", "))"]
            if let details, !resources.contains(details) {
                lines += details.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
            }
            return lines
        case .question(let questions): return Self.lines(of: questions, answers.count)
        }
    }

    /// All that is asked, line by line, for whoever only reads it.
    public var whole: [String] {
        switch kind {
        case .permission: asked
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

    /// Numbers of options (with blanks or commas between them), a label, own words, or numbers and behind a colon own words. A
    /// colon in front of all makes own words of what would be numbers.
    private static func chosen(
        _ line: String, _ words: [String], _ question: Question
    ) -> Result<[String], Refusal> {
        let text = words.joined(separator: " ")
        if question.options.contains(where: { $0.label == text }) { return .success([text]) }
        let typed = Typed(words, options: question.options.count)
        if let odd = typed.numbers.first(where: { !question.options.indices.contains($0 - 1) }) {
            return .failure(Refusal(words: "there is no option \(odd), but 1 to \(question.options.count)"))
        }
        guard question.takesOwnWords || typed.words.isEmpty else {
            return .failure(Refusal(words: "own words are not taken here: type the number of an option"))
        }
        if typed.isDoubtful {
            let both = question.takesSeveral ? "`1 2: own words` is both, " : ""
            return .failure(
                Refusal(words: "numbers and words: \(both)`: 2 words` own words that begin with a number"))
        }
        let chosen = typed.numbers.map { question.options[$0 - 1].label }
        let all = typed.words.isEmpty ? chosen : chosen + [typed.words]
        if all.isEmpty { return .failure(Refusal(words: "nothing stands behind the colon")) }
        if all.count > 1, !question.takesSeveral { return .failure(Refusal(words: "only one can be chosen")) }
        return .success(all)
    }

    /// A line by its parts.
    private struct Typed {
        var numbers: [Int] = []
        var words = ""
        /// Numbers of options stand in front of words, and nothing says that they are more than words.
        var isDoubtful = false

        init(_ line: [String], options: Int) {
            guard options > 0 else {
                words = line.joined(separator: " ")
                return
            }
            if line[0].hasPrefix(":") {
                words = ([String(line[0].dropFirst())] + line.dropFirst()).filter { !$0.isEmpty }.joined(separator: " ")
                return
            }
            let end = line.firstIndex { $0.last == ":" }
            let front = end.map { Array(line[..<$0]) + [String(line[$0].dropLast())] } ?? line
            let places = front.flatMap { $0.split(separator: ",") }.map { Int($0) }
            if !places.contains(nil) {
                numbers = places.compactMap(\.self)
                words = end.map { line[($0 + 1)...].joined(separator: " ") } ?? ""
                return
            }
            words = line.joined(separator: " ")
            isDoubtful = line[0].split(separator: ",").contains { Int($0).map { (1...options).contains($0) } == true }
        }
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
        if question.takesSeveral, ways.count > 1 { ways.append("both with a colon between them") }
        return (ways + ["- to put it aside"]).joined(separator: " · ")
    }
}
