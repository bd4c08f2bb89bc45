// What happens inside messages.

extension MessageChanged: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        guard info.role == .assistant else {
            view.waiting[sessionID, default: []].append(info.id)
            return []
        }
        // A summary is no step: 2.x has it as a message of another type.
        guard let run = view.runs[sessionID], info.summary != true else { return [] }
        if run.message?.id != info.id { return view.beginStep(info) }
        if let problem = info.error { return [V2Message.failed(info, problem)] }
        guard info.finish != nil else { return [] }
        if info.finish == "tool-calls" {
            view.runs[sessionID]?.openStep = info
            return []
        }
        return V2Message.ended(info, files: run.files)
    }
}

extension V2View {
    fileprivate mutating func beginStep(_ info: MessageInfo) -> [V2Event] {
        guard let old = runs[info.sessionID] else { return [] }
        let before = old.openStep.map { V2Message.ended($0, files: old.files) } ?? []
        var run = V2Run()
        run.message = info
        runs[info.sessionID] = run
        return before + [
            .kept(
                "session.step.started", in: info.sessionID,
                [
                    "sessionID": .text(info.sessionID), "assistantMessageID": .text(info.id),
                    "agent": .text(info.agent), "model": V2Message.model(info), "started": .time(info.time.created),
                ])
        ]
    }

    fileprivate func known(_ part: Part) -> Bool { runs[part.sessionID]?.message?.id == part.messageID }
}

extension PartChanged: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        switch part.type {
        case "text" where view.waiting[sessionID]?.contains(part.messageID) == true: [V2Message.enqueued(part)]
        case "text", "reasoning": view.known(part) ? block(&view) : []
        case "tool": view.known(part) ? tool(&view) : []
        case _: []
        }
    }

    private func block(_ view: inout V2View) -> [V2Event] {
        guard var run = view.runs[sessionID] else { return [] }
        defer { view.runs[sessionID] = run }
        var events: [V2Event] = []
        if run.blocks[part.id] == nil {
            let number = run.counts[part.type, default: 0]
            run.counts[part.type] = number + 1
            run.blocks[part.id] = V2Run.Block(kind: part.type, number: number)
            events.append(.kept("session.\(part.type).started", in: sessionID, part.place(number)))
        }
        if part.time?.end != nil, let block = run.blocks[part.id] {
            let data = part.place(block.number, text: part.text ?? "")
            events.append(.kept("session.\(part.type).ended", in: sessionID, data))
        }
        return events
    }

    private func tool(_ view: inout V2View) -> [V2Event] {
        guard let state = part.state, let call = part.callID else { return [] }
        func data(_ more: [String: Shape]) -> Shape {
            .object(
                more.merging([
                    "sessionID": .text(sessionID), "assistantMessageID": .text(part.messageID), "id": .text(call),
                ]) { $1 })
        }
        let input = Shape.object(state.input.mapValues(Shape.text))
        switch state.status {
        case .pending:
            let name = V2Message.toolName(part.tool ?? "")
            let text = (try? JSON.encode(input)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
            return [
                .kept("session.tool.input.started", in: sessionID, data(["name": .text(name)])),
                .kept("session.tool.input.ended", in: sessionID, data(["text": .text(text)])),
            ]
        case .running:
            if view.runs[sessionID]?.called.insert(call).inserted == true {
                return [
                    .kept("session.tool.called", in: sessionID, data(["input": input, "executed": false]))
                ]
            }
            let metadata = Shape.object((state.metadata ?? [:]).mapValues(Shape.text))
            return [.told("session.tool.progress", data(["metadata": metadata]))]
        case .completed:
            let content = V2Message.output(state.output)
            return [.kept("session.tool.success", in: sessionID, data(["content": content, "executed": false]))]
        case .error:
            let error = V2Message.toolError(state.error)
            return [.kept("session.tool.failed", in: sessionID, data(["error": error, "executed": false]))]
        }
    }
}

extension PartDelta: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        guard let block = view.runs[sessionID]?.blocks[partID] else { return [] }
        return [
            .told(
                "session.\(block.kind).delta",
                [
                    "sessionID": .text(sessionID), "assistantMessageID": .text(messageID),
                    "ordinal": .number(Double(block.number)), "delta": .text(delta),
                ])
        ]
    }
}

extension Part {
    fileprivate func place(_ number: Int, text: String? = nil) -> Shape {
        [
            "sessionID": .text(sessionID), "assistantMessageID": .text(messageID), "ordinal": .number(Double(number)),
            "text": .maybe(text),
        ]
    }
}
