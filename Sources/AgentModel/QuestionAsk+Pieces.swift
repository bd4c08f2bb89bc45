extension QuestionAsk {
    /// Questions that are shown; those behind them are answered with nothing.
    public static let shownQuestions = 40
    /// Choices of all questions that are shown.
    private static let shownOptions = 200
    /// Bytes of all texts: below a frame even when JSON writes every byte in six.
    private static let shownBytes = 8000

    /// Labels before descriptions: they are what an answer repeats. Each question may take its share of what those before it
    /// have left.
    var fittingAFrame: QuestionAsk {
        var (room, options) = (Self.shownBytes, Self.shownOptions)
        let shown = self.questions.prefix(Self.shownQuestions)
        let questions = shown.enumerated().map { index, question in
            let left = shown.count - index
            let cut = question.cut(to: max(0, room) / left, options: options / left)
            options -= cut.options.count
            room -= cut.bytes
            return cut.told(hidden(cut.options.count, of: question, at: index))
        }
        // Descriptions get what room is left.
        let whole = zip(questions, self.questions).map { cut, given in
            var cut = cut
            cut.options = zip(cut.options, given.options).map { option, given in
                guard room > 0 else { return option }
                let description = given.description.cut(to: min(300, room))
                room -= description.utf8.count
                return Option(label: option.label, description: description)
            }
            return cut
        }
        var asked = QuestionAsk(id: id, questions: whole, tool: tool?.cut(to: 200))
        asked.unanswered = unanswered
        return asked
    }

    /// Who answers must know what he does not see.
    private func hidden(_ shown: Int, of question: Question, at index: Int) -> String {
        var words = ""
        if question.options.count > shown {
            words += " [\(question.options.count - shown) more choices are not shown]"
        }
        let behind = questions.count - Self.shownQuestions
        if index == Self.shownQuestions - 1, behind > 0 {
            words += " [\(behind) more questions are not shown, and get no answer]"
        }
        return words
    }

    /// Answers to what was shown as answers to what was asked: nothing for each question that did not fit, and whole labels
    /// for those that were cut.
    public func answers(toShown given: [[String]]) -> [[String]] {
        let shown = fittingAFrame.questions
        var answers = zip(given, zip(questions, shown)).map { chosen, asked in
            let (question, cut) = asked
            return chosen.map { question.label(of: $0, shownAs: cut) }
        }
        answers += given.dropFirst(answers.count)
        guard given.count == Self.shownQuestions, questions.count > given.count else { return answers }
        return answers + Array(repeating: [], count: questions.count - given.count)
    }
}

extension QuestionAsk.Question {
    /// What there is of it in so many bytes, without descriptions.
    fileprivate func cut(to share: Int, options limit: Int) -> Self {
        var cut = Self(
            header: header.cut(to: min(100, share / 4)), question: question.cut(to: min(1000, share / 2)), options: [],
            multiple: multiple, custom: custom)
        let some = options.prefix(limit)
        for (place, option) in some.enumerated() {
            let label = option.label.cut(to: min(400, max(0, share - cut.bytes) / (some.count - place)))
            cut.options.append(.init(label: label, description: ""))
        }
        return cut
    }

    fileprivate var bytes: Int { options.reduce(header.utf8.count + question.utf8.count) { $0 + $1.label.utf8.count } }

    fileprivate func told(_ hidden: String) -> Self {
        var told = self
        told.question += hidden
        return told
    }

    /// Only what stands in the card is taken for a label: words of somebody's own may end in "…" too.
    fileprivate func label(of chosen: String, shownAs cut: Self) -> String {
        guard !options.contains(where: { $0.label == chosen }) else { return chosen }
        let meant = zip(options, cut.options).filter { $1.label == chosen }
        return meant.count == 1 ? meant[0].0.label : chosen
    }
}
