import Foundation

/// One turn, in the order of events that opencode 1.18 has on the wire.
extension EchoAgent {
    /// Where a turn is.
    struct Stage {
        let user: MessageInfo
        let directory: String
        /// The assistant's message that is being written.
        var message: MessageInfo
        /// Tools used so far.
        var calls = 0
        /// Words said in this message.
        var words = 0
    }

    /// Stores the user's message: session.updated, message.updated, message.part.updated.
    func store(_ prompt: Prompt, in session: Session) throws(APIError) -> MessageInfo {
        let now = WallClock.milliseconds
        // As opencode does: who chooses nothing gets what the session used last.
        let last = MessageInfo.Model(providerID: session.model.providerID, modelID: session.model.id)
        let user = MessageInfo(
            id: prompt.messageID ?? Identifier.message(), sessionID: session.id, role: .user, time: .init(created: now),
            agent: prompt.agent ?? session.agent, model: prompt.model ?? last,
            metadata: prompt.metadata)
        var session = session
        if Catalog.objection(to: user) == nil {
            session.agent = user.agent
            session.model = .init(id: user.model?.modelID ?? last.modelID, providerID: last.providerID)
        }
        try update(session)
        try put(user, directory: session.directory)
        for part in prompt.parts where part.type == "text" {
            try put(
                Part(
                    id: part.id ?? Identifier.part(), sessionID: session.id, messageID: user.id, type: "text",
                    text: part.text ?? ""),
                directory: session.directory)
        }
        return user
    }

    /// session.status busy, then for each step of the model the empty assistant message, step-start, what it says and
    /// does, step-finish, the finished message; at the end session.status idle and session.idle.
    func run(
        _ script: Script, to user: MessageInfo, in id: String, isSummary: Bool = false
    ) async throws -> Message {
        defer { finished(user.id, in: id) }
        let directory = try conversation(id).session.directory
        broker.publish("session.status", StatusChanged(sessionID: id, status: .busy), directory: directory)
        var stage = Stage(
            user: user, directory: directory, message: Self.emptyAnswer(to: user, in: id, directory: directory))
        if isSummary { stage.message.summary = true }
        try put(stage.message, directory: directory)
        broker.publish("session.diff", SessionDiff(sessionID: id), directory: directory)
        try put(Part.make("step-start", in: stage.message), directory: directory)
        do {
            guard hasProvider else { throw MessageInfo.Problem.unknown("no providers found") }
            if let problem = Catalog.objection(to: user) { throw problem }
            try leaveNote(of: user, in: directory)
            try await perform(script, &stage)
        } catch let problem as MessageInfo.Problem {
            try fail(problem, stage)
        } catch is CancellationError {
            try fail(.aborted, stage)
        }
        if isLast(user.id, in: id) {
            finished(user.id, in: id)
            broker.publish("session.status", StatusChanged(sessionID: id, status: .idle), directory: directory)
            broker.publish("session.idle", SessionOnly(sessionID: id), directory: directory)
        }
        let last = stage.message
        return try conversation(id).messages.last { $0.info.id == last.id } ?? Message(info: last, parts: [])
    }

    private func leaveNote(of user: MessageInfo, in directory: String) throws {
        guard let note else { return }
        do {
            try Data("\(user.id)\n".utf8).write(to: URL(fileURLWithPath: directory).appendingPathComponent(note))
        } catch {
            throw MessageInfo.Problem.unknown("cannot write \(note) in \(directory): \(error)")
        }
    }

    private func perform(_ script: Script, _ stage: inout Stage) async throws {
        for step in script.steps {
            switch step {
            case .say(let words, let slow): try await say(words, slow: slow, &stage)
            case .think(let words): try await stream("reasoning", words, slow: 0, stage)
            case .use(let tool): guard try await use(tool, &stage) else { return }
            case .stall(let time): try await Task.sleep(for: time)
            case .crash: kill(getpid(), SIGKILL)
            case .fail(let problem): throw problem
            case .retry(let attempts, let message): try await retry(attempts, message, stage)
            case .plan: plan(stage)
            case .change: change(stage)
            }
        }
        try endStep("stop", &stage)
    }

    /// A text part, streamed.
    func say(_ words: [String], slow: Int, _ stage: inout Stage) async throws {
        stage.words += words.count
        try await stream("text", words, slow: slow, stage)
    }

    /// A part that grows, complete or as far as it came before the turn was stopped. Deltas are not stored.
    private func stream(_ type: String, _ words: [String], slow: Int, _ stage: Stage) async throws {
        var part = Part.make(type, in: stage.message)
        part.text = ""
        part.time = .init(start: WallClock.milliseconds)
        try put(part, directory: stage.directory)
        var wasStopped = false
        for (index, word) in words.enumerated() {
            do { try await Task.sleep(for: index < slow ? Answer.slowPause : pause) } catch {
                wasStopped = true
                break
            }
            part.text? += word
            broker.publish(
                "message.part.delta",
                PartDelta(
                    sessionID: part.sessionID, messageID: part.messageID, partID: part.id, delta: word),
                directory: stage.directory)
        }
        part.time?.end = WallClock.milliseconds
        try put(part, directory: stage.directory)
        if wasStopped { throw CancellationError() }
    }

    /// The message is finished.
    func endStep(_ reason: String, _ stage: inout Stage) throws {
        stage.message.finish = reason
        let usage = Usage(of: stage, asked: try conversation(stage.user.sessionID).words(of: stage.user.id))
        var step = Part.make("step-finish", in: stage.message)
        (step.reason, step.cost, step.tokens) = (reason, usage.cost, usage.tokens)
        try put(step, directory: stage.directory)
        (stage.message.cost, stage.message.tokens) = (usage.cost, usage.tokens)
        stage.message.time.completed = WallClock.milliseconds
        try put(stage.message, directory: stage.directory)
    }

    /// The next message of the same turn.
    func beginStep(_ stage: inout Stage) throws {
        stage.message = Self.emptyAnswer(to: stage.user, in: stage.user.sessionID, directory: stage.directory)
        stage.words = 0
        try put(stage.message, directory: stage.directory)
        try put(Part.make("step-start", in: stage.message), directory: stage.directory)
    }

    private func fail(_ problem: MessageInfo.Problem, _ stage: Stage) throws {
        var message = stage.message
        message.error = problem
        broker.publish(
            "session.error", SessionError(sessionID: message.sessionID, error: problem), directory: stage.directory)
        message.time.completed = WallClock.milliseconds
        try put(message, directory: stage.directory)
    }

    private func retry(_ attempts: Int, _ message: String, _ stage: Stage) async throws {
        let id = stage.message.sessionID
        for attempt in 1...attempts {
            let next = WallClock.milliseconds + UInt64(Answer.slowPause / .milliseconds(1))
            let status = SessionStatus(type: "retry", attempt: attempt, message: message, next: next)
            broker.publish("session.status", StatusChanged(sessionID: id, status: status), directory: stage.directory)
            try await Task.sleep(for: Answer.slowPause)
        }
        broker.publish("session.status", StatusChanged(sessionID: id, status: .busy), directory: stage.directory)
    }

    private func plan(_ stage: Stage) {
        let list = [
            Todo(content: "Read the question", status: "completed", priority: "high"),
            Todo(content: "Repeat it", status: "in_progress", priority: "medium"),
            Todo(content: "Wait for the next one", status: "pending", priority: "low"),
        ]
        todos[stage.message.sessionID] = list
        broker.publish(
            "todo.updated", TodoUpdated(sessionID: stage.message.sessionID, todos: list), directory: stage.directory)
    }

    private func change(_ stage: Stage) {
        let diff = FileDiff(
            file: "notes.txt", patch: "--- a/notes.txt\n+++ b/notes.txt\n@@ -1 +1 @@\n-old words\n+new words\n",
            additions: 1, deletions: 1, status: "modified")
        diffs[stage.user.id] = [diff]
        broker.publish(
            "session.diff", SessionDiff(sessionID: stage.message.sessionID, diff: [diff]), directory: stage.directory)
    }

    static func emptyAnswer(to user: MessageInfo, in id: String, directory: String) -> MessageInfo {
        MessageInfo(
            id: Identifier.message(), sessionID: id, role: .assistant, time: .init(created: WallClock.milliseconds),
            agent: user.agent, parentID: user.id, modelID: user.model?.modelID, providerID: user.model?.providerID,
            mode: user.agent, path: .init(cwd: directory, root: "/"), cost: 0, tokens: Tokens())
    }
}

extension Part {
    /// An empty part of a message.
    static func make(_ type: String, in message: MessageInfo) -> Part {
        Part(id: Identifier.part(), sessionID: message.sessionID, messageID: message.id, type: type)
    }
}
