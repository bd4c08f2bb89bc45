/// Something the agent asks, as a message with buttons, and what taps and replies mean. Pure.
public struct Ask: Hashable, Sendable {
    /// The session in which it is asked.
    public let session: String
    /// The agent's id of it.
    public let id: String
    /// What the message says.
    public let text: String
    private let kind: Kind

    private enum Kind: Hashable {
        case permission
        case question([ChatLine.Question])
    }

    /// An answer as chat-bridge takes it.
    public enum Answer: Hashable, Sendable {
        /// `once`, `always`, `reject`, or `dismiss`.
        case reply(String)
        /// For each question the labels, or own words.
        case answers([[String]])
    }

    /// Characters of what an ask shows; the whole is on the page.
    private static let textLimit = 3000
    /// Buttons of a question.
    private static let optionLimit = 12
    /// Put aside.
    private static let aside = "x"

    /// Nil for other events.
    public init?(_ line: ChatLine) {
        guard let session = line.session, let id = line.id else { return nil }
        self.session = session
        self.id = id
        switch line.type {
        case "permission":
            let details = line.details.flatMap { $0 == line.resources?.joined(separator: "\n") ? nil : $0 }
            let parts = ["May the agent do this? \(line.action ?? "")"] + (line.resources ?? []) + [details ?? ""]
            text = Self.cut(parts.filter { !$0.isEmpty }.joined(separator: "\n"))
            kind = .permission
        case "question":
            let questions = line.questions ?? []
            kind = .question(questions)
            text = Self.cut(Self.words(of: questions))
        case _: return nil
        }
    }

    /// The buttons; `name` is what taps bring back, at most 40 bytes.
    public func keyboard(_ name: String) -> InlineKeyboard {
        switch kind {
        case .permission:
            return InlineKeyboard(
                [("Allow once", "once"), ("Always allow", "always"), ("Reject", "reject")].map {
                    .init($0.0, "\(name):\($0.1)")
                })
        case .question(let questions):
            let options = questions.count == 1 && questions[0].multiple != true ? questions[0].options : []
            let buttons = options.prefix(Self.optionLimit).enumerated().map { index, option in
                InlineKeyboard.Button(String(option.label.prefix(60)), "\(name):\(index)")
            }
            return InlineKeyboard(buttons + [.init("Put aside", "\(name):\(Self.aside)")])
        }
    }

    /// What a tap means; nil: nothing.
    public func answer(tapped word: String) -> Answer? {
        switch kind {
        case .permission: return ["once", "always", "reject"].contains(word) ? .reply(word) : nil
        case .question(let questions):
            if word == Self.aside { return .reply("dismiss") }
            guard questions.count == 1, let index = Int(word), questions[0].options.indices.contains(index) else {
                return nil
            }
            return .answers([[questions[0].options[index].label]])
        }
    }

    /// What a reply in words means: a line for each question, numbers for its options; of leave it is the reason of a no.
    public func answer(written text: String) -> Answer? {
        switch kind {
        case .permission: return nil
        case .question(let questions):
            let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingSpaces }
            if questions.count == 1 { return .answers([Self.chosen(text.trimmingSpaces, questions[0])]) }
            guard lines.count == questions.count else { return nil }
            return .answers(zip(lines, questions).map { Self.chosen($0, $1) })
        }
    }

    private static func chosen(_ text: String, _ question: ChatLine.Question) -> [String] {
        let words = question.multiple == true ? text.split(separator: ",").map(\.trimmingSpaces) : [text]
        return words.map { word in
            guard let number = Int(word), question.options.indices.contains(number - 1) else { return word }
            return question.options[number - 1].label
        }
    }

    /// Said to a reply that means nothing.
    public var howToAnswer: String {
        switch kind {
        case .permission: "Not understood: tap one of the buttons."
        case .question(let questions): "Not understood. " + Self.how(questions)
        }
    }

    private static func how(_ questions: [ChatLine.Question]) -> String {
        guard questions.count == 1 else {
            return
                "Reply to this message with a line for each of the \(questions.count) questions: a number, or own words."
        }
        let what = questions[0].multiple == true ? "numbers, separated by commas," : "a number"
        return "Tap, or reply to this message with \(what) or own words."
    }

    private static func words(of questions: [ChatLine.Question]) -> String {
        let asked = questions.map { question in
            ([question.question]
                + question.options.enumerated().map { index, option in
                    "\(index + 1). \(option.label)\((option.description.map { $0.isEmpty ? "" : " – \($0)" }) ?? "")"
                }).joined(separator: "\n")
        }
        return (["The agent asks:"] + asked + [how(questions)]).joined(separator: "\n\n")
    }

    private static func cut(_ text: String) -> String {
        text.count > textLimit ? text.prefix(textLimit) + " …" : text
    }
}

extension StringProtocol {
    fileprivate var trimmingSpaces: String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
