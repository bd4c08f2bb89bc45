/// Tools that do nothing, in the states and the order in which opencode's go through them.
extension EchoAgent {
    /// Pending, running, what it asks, its output piece by piece, completed or failed. Then the message ends with
    /// `tool-calls`, and the next one begins. False: the turn ends here, as opencode's does after a plain no.
    func use(_ tool: Step.ToolUse, _ stage: inout Stage) async throws -> Bool {
        let callID = "call_\(stage.calls + 1)"
        stage.calls += 1
        let started = WallClock.milliseconds
        var part = Part.make("tool", in: stage.message)
        part.callID = callID
        part.tool = tool.name
        part.state = ToolState(status: .pending, input: tool.input, raw: "")
        try put(part, directory: stage.directory)
        part.state = ToolState(status: .running, input: tool.input, title: tool.title, time: .init(start: started))
        try put(part, directory: stage.directory)
        let verdict = try await ask(tool, callID, stage)
        var output = ""
        if verdict.refusal == nil {
            for piece in tool.output {
                try await Task.sleep(for: pause)
                output += piece
                part.state?.metadata = ["output": output]
                try put(part, directory: stage.directory)
            }
        }
        let time = Part.Time(start: started, end: WallClock.milliseconds)
        if let refusal = verdict.refusal {
            part.state = ToolState(status: .error, input: tool.input, error: refusal, time: time)
        } else {
            part.state = ToolState(
                status: .completed, input: tool.input, output: output + verdict.words, title: tool.title,
                metadata: [:], time: time)
        }
        try put(part, directory: stage.directory)
        try endStep("tool-calls", &stage)
        guard verdict.goesOn else { return false }
        try beginStep(&stage)
        if !verdict.words.isEmpty { try await say([verdict.words + "\n\n"], slow: 0, &stage) }
        return true
    }

    private struct Verdict {
        var words = ""
        var refusal: String?
        var goesOn = true
    }

    private func ask(_ tool: Step.ToolUse, _ callID: String, _ stage: Stage) async throws -> Verdict {
        guard let ask = tool.ask else { return Verdict() }
        var session = stage.message.sessionID
        if tool.inChild {
            session = try create(NewSession(title: tool.title, parentID: session), directory: stage.directory).id
            atWork.insert(session)
        }
        defer { atWork.remove(session) }
        let place = ToolPlace(messageID: stage.message.id, callID: callID)
        switch ask {
        case .permission(let action, let patterns, let always):
            if allowed.contains(action) { return Verdict(words: "Allowed before: \(action).") }
            let request = PermissionRequest(
                id: Identifier.permission(), sessionID: session, permission: action, patterns: patterns,
                metadata: tool.input, always: always, tool: place)
            return Self.verdict(
                try await self.ask(.permission(request), id: request.id, directory: stage.directory), action)
        case .questions(let questions):
            let request = QuestionRequest(
                id: Identifier.question(), sessionID: session, questions: questions, tool: place)
            return Self.verdict(try await self.ask(.question(request), id: request.id, directory: stage.directory), "")
        }
    }

    private static func verdict(_ reply: Reply, _ action: String) -> Verdict {
        switch reply {
        case .permission(let answer) where answer.reply == .reject:
            // With words the model may try something else; a plain no ends the turn.
            Verdict(
                words: answer.message.map { "Not allowed: \($0)." } ?? "",
                refusal: "The user rejected permission to use this specific tool call.", goesOn: answer.message != nil)
        case .permission(let answer): Verdict(words: "Allowed: \(answer.reply.rawValue).")
        case .question(let answers?):
            Verdict(words: "You chose: \(answers.map { $0.joined(separator: " + ") }.joined(separator: "; ")).")
        case .question(nil): Verdict(refusal: "The user dismissed this question", goesOn: false)
        }
    }
}
