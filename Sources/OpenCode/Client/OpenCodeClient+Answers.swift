public import AgentModel

extension OpenCodeClient {
    /// Says yes or no to what the session, or one that it started, wants leave for.
    public func answerPermission(
        _ session: AgentSessionID, id: String, reply: PermissionReply, message: String?, directory: String
    ) async throws(AgentFailure) {
        let pending = try await line.permissions(directory: directory)
        let owner = try await owned(pending.first { $0.ask.id == id }, id, by: session, directory).session
        if message != nil { tell(session, .explaining(id: id)) }
        try await say(session, Answered(id: id, answer: .init(reply), by: .user)) { () async throws(AgentFailure) in
            try await line.reply(toPermission: id, of: owner, reply, message: message, directory: directory)
        }
    }

    /// Answers what the session, or one that it started, asks; nil puts it aside.
    public func answerQuestion(
        _ session: AgentSessionID, id: String, answers: [[String]]?, directory: String
    ) async throws(AgentFailure) {
        let pending = try await line.questions(directory: directory)
        let question = try await owned(pending.first { $0.ask.id == id }, id, by: session, directory)
        let answers = answers.map(question.ask.answers(toShown:))
        if let answers, let words = question.ask.objection(to: answers) { throw AgentFailure(.refused, words) }
        let answer: Answered.Answer = answers == nil ? .dismissed : .answered
        try await say(session, Answered(id: id, answer: answer, by: .user)) { () async throws(AgentFailure) in
            try await line.reply(toQuestion: id, of: question.session, answers, directory: directory)
        }
    }

    /// What is asked elsewhere is none of this session's business.
    private func owned<Ask>(
        _ asked: Asked<Ask>?, _ id: String, by session: AgentSessionID, _ directory: String
    ) async throws(AgentFailure) -> Asked<Ask> {
        guard let asked else { throw type(of: line).notWaiting(id) }
        if family(of: session.rawValue).contains(asked.session) { return asked }
        guard try await line.children(session, directory: directory).contains(asked.session) else {
            throw AgentFailure(.refused, "\(id) is asked by another session than this one")
        }
        return asked
    }

    /// The turn is told before and after, so that it knows whose answer it was, whether or not an event comes.
    private func say(
        _ session: AgentSessionID, _ answered: Answered, _ call: () async throws(AgentFailure) -> Void
    ) async throws(AgentFailure) {
        tell(session, .answering(answered))
        do {
            try await call()
        } catch {
            tell(session, .notAnswered(answered))
            throw error
        }
        tell(session, .taken(answered))
    }
}

extension QuestionAsk {
    /// What is wrong with answers, in words; nil when opencode will take them.
    func objection(to answers: [[String]]) -> String? {
        guard answers.count == questions.count else {
            return "\(questions.count) answers are wanted, one for each question, not \(answers.count)"
        }
        for (question, chosen) in zip(questions, answers) {
            if chosen.count > 1, !question.multiple { return "only one answer is taken to '\(question.question)'" }
            let labels = question.options.map(\.label)
            guard !question.custom, let odd = chosen.first(where: { !labels.contains($0) }) else { continue }
            return "'\(odd)' is no answer to '\(question.question)'; there is: \(labels.joined(separator: ", "))"
        }
        return nil
    }
}
