extension EchoAgent {
    /// A request that waits for its answer.
    struct Waiting {
        var request: Request
        var directory: String
        var answered: CheckedContinuation<Reply, any Error>

        enum Request {
            case permission(PermissionRequest)
            case question(QuestionRequest)
        }
    }

    /// What came of a request.
    enum Reply: Sendable {
        case permission(PermissionAnswer)
        /// Nil: put aside.
        case question([[String]]?)
    }

    /// Says that something is asked, and waits for the answer; thrown out of it when the turn is stopped.
    func ask(_ request: Waiting.Request, id: String, directory: String) async throws -> Reply {
        defer { waiting[id] = nil }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                waiting[id] = Waiting(request: request, directory: directory, answered: continuation)
                switch request {
                case .permission(let ask): broker.publish("permission.asked", ask, directory: directory)
                case .question(let ask): broker.publish("question.asked", ask, directory: directory)
                }
            }
        } onCancel: {
            Task { await self.withdraw(id) }
        }
    }

    /// What waits for leave in a directory.
    func permissions(in directory: String) -> [PermissionRequest] {
        waiting.values.compactMap { ask in
            if case .permission(let request) = ask.request, ask.directory == directory { request } else { nil }
        }
    }

    /// What waits for an answer in a directory.
    func questions(in directory: String) -> [QuestionRequest] {
        waiting.values.compactMap { ask in
            if case .question(let request) = ask.request, ask.directory == directory { request } else { nil }
        }
    }

    /// Says yes or no; 404 when nobody waits for it.
    func answer(permission id: String, _ answer: PermissionAnswer) throws(APIError) {
        guard let ask = waiting[id], case .permission(let request) = ask.request else {
            throw .notWaiting(id, tag: "PermissionNotFoundError")
        }
        waiting[id] = nil
        if answer.reply == .always { allowed.insert(request.permission) }
        broker.publish(
            "permission.replied",
            PermissionReplied(sessionID: request.sessionID, requestID: id, reply: answer.reply),
            directory: ask.directory)
        ask.answered.resume(returning: .permission(answer))
    }

    /// Answers a question (nil: puts it aside); labels are checked as opencode does.
    func answer(question id: String, _ answers: [[String]]?) throws(APIError) {
        guard let ask = waiting[id], case .question(let request) = ask.request else {
            throw .notWaiting(id, tag: "QuestionNotFoundError")
        }
        if let answers {
            for (question, chosen) in zip(request.questions, answers) where !question.custom {
                let labels = question.options.map(\.label)
                guard chosen.allSatisfy(labels.contains) else {
                    throw .invalid("no such option of: \(question.question)")
                }
            }
            broker.publish(
                "question.replied", QuestionReplied(sessionID: request.sessionID, requestID: id, answers: answers),
                directory: ask.directory)
        } else {
            broker.publish(
                "question.rejected", QuestionRejected(sessionID: request.sessionID, requestID: id),
                directory: ask.directory)
        }
        waiting[id] = nil
        ask.answered.resume(returning: .question(answers))
    }

    private func withdraw(_ id: String) {
        waiting.removeValue(forKey: id)?.answered.resume(throwing: CancellationError())
    }
}
