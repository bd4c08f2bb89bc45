// Sessions, their state, and what waits for the user.

extension SessionChanged: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        let old = view.titles[sessionID]
        view.titles[sessionID] = info.title
        switch type {
        case "session.created":
            return [
                .kept(
                    type, in: sessionID,
                    [
                        "sessionID": .text(sessionID), "projectID": .text(info.projectID),
                        "location": ["directory": .text(info.directory)], "parentID": .maybe(info.parentID),
                        "slug": .text(info.slug), "title": .text(info.title), "agent": .text(info.agent),
                        "model": V2Session.model(info.model), "version": .text(Line.v2.version),
                    ])
            ]
        case "session.deleted":
            view.titles[sessionID] = nil
            view.waiting[sessionID] = nil
            view.runs[sessionID] = nil
            return [.kept(type, in: sessionID, ["sessionID": .text(sessionID)])]
        case _:
            guard let old, old != info.title else { return [] }
            return [
                .kept(
                    "session.renamed", in: sessionID, ["sessionID": .text(sessionID), "title": .text(info.title)])
            ]
        }
    }
}

extension StatusChanged: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        let session: Shape = .text(sessionID)
        var events: [V2Event] = []
        switch status.type {
        case "retry":
            let error: Shape = [
                "type": "provider.rate-limit", "message": .text(status.message ?? ""), "status": 429,
            ]
            events = [
                .kept(
                    "session.retry.scheduled", in: sessionID,
                    [
                        "sessionID": session, "assistantMessageID": .text(view.runs[sessionID]?.message?.id ?? ""),
                        "attempt": .number(Double(status.attempt ?? 1)), "at": .time(status.next ?? 0), "error": error,
                    ])
            ]
        case "idle": events = view.end(sessionID)
        case _: events = view.begin(sessionID)
        }
        let shown: Shape = [
            "type": .text(status.type), "attempt": status.attempt.map { .number(Double($0)) },
            "message": .maybe(status.message), "next": .time(status.next),
        ]
        return events + [.told("session.status", ["sessionID": session, "status": shown])]
    }
}

extension V2View {
    /// A run begins, or its next prompt does.
    fileprivate mutating func begin(_ session: String) -> [V2Event] {
        var events: [V2Event] = []
        if runs[session] == nil {
            runs[session] = V2Run()
            events.append(.kept("session.execution.started", in: session, ["sessionID": .text(session)]))
        }
        if let prompt = waiting[session]?.first {
            waiting[session]?.removeFirst()
            runs[session]?.problem = nil
            events.append(
                .kept(
                    "session.inbox.delivered", in: session,
                    ["sessionID": .text(session), "inboxID": .text(prompt)]))
        }
        return events
    }

    /// A run ends. One whose last step wanted tools was stopped by a plain no.
    fileprivate mutating func end(_ session: String) -> [V2Event] {
        guard let run = runs.removeValue(forKey: session) else { return [] }
        if let declined = run.openStep {
            return [
                V2Message.failed(declined, .aborted),
                .kept(
                    "session.execution.interrupted", in: session,
                    ["sessionID": .text(session), "reason": "user"]),
            ]
        }
        return switch run.problem {
        case nil: [.kept("session.execution.succeeded", in: session, ["sessionID": .text(session)])]
        case let problem? where problem.name == MessageInfo.Problem.aborted.name:
            [.kept("session.execution.interrupted", in: session, ["sessionID": .text(session), "reason": "user"])]
        case let problem?:
            [
                .kept(
                    "session.execution.failed", in: session,
                    ["sessionID": .text(session), "error": V2Message.error(problem)])
            ]
        }
    }
}

extension SessionOnly: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        [.told(type, ["sessionID": .text(sessionID)])]
    }
}

extension SessionCompacted: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        [
            .kept(
                "session.compaction.ended", in: sessionID,
                ["sessionID": .text(sessionID), "reason": "manual", "text": .text(summary)])
        ]
    }
}

extension SessionError: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        view.runs[sessionID]?.problem = error
        return []
    }
}

extension PermissionRequest: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] { [.told(type, V2Asking.permission(self))] }
}

extension PermissionReplied: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        [
            .told(
                type,
                ["sessionID": .text(sessionID), "requestID": .text(requestID), "reply": .text(reply.rawValue)])
        ]
    }
}

extension QuestionRequest: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        [.told("form.created", ["form": V2Asking.form(self)])]
    }
}

extension QuestionReplied: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        view.settle(requestID)
        return [
            .told(
                "form.replied",
                ["id": .text(requestID), "sessionID": .text(sessionID), "answer": V2Asking.answer(answers)])
        ]
    }
}

extension QuestionRejected: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        view.settle(requestID)
        return [.told("form.cancelled", ["id": .text(requestID), "sessionID": .text(sessionID)])]
    }
}

extension TodoUpdated: V2Visible {
    /// 2.x has no list of things to do.
    func seen(as type: String, by view: inout V2View) -> [V2Event] { [] }
}

extension SessionDiff: V2Visible {
    /// Files are named by the step that changed them.
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        if !diff.isEmpty { view.runs[sessionID]?.files = diff.map(\.file) }
        return []
    }
}

extension PromptWithdrawn: V2Visible {
    func seen(as type: String, by view: inout V2View) -> [V2Event] {
        view.waiting[sessionID]?.removeAll { $0 == messageID }
        return [
            .kept(
                "session.inbox.cancelled", in: sessionID,
                ["sessionID": .text(sessionID), "inboxID": .text(messageID)])
        ]
    }
}
