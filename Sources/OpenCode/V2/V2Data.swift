import AgentModel

// The `data` of the events that are used.

/// session.created
struct V2SessionCreated: Decodable {
    let parentID: String?
}

/// session.inbox.delivered, session.inbox.cancelled; a prompt's id in the inbox is its message's
struct V2Inbox: Decodable {
    let inboxID: String
}

/// session.execution.failed
struct V2Failed: Decodable {
    let error: V2Problem
}

/// session.execution.interrupted
struct V2Interrupted: Decodable {
    private let reason: String?

    var problem: AgentProblem {
        switch reason {
        case "shutdown": AgentProblem(isAbort: true, words: "opencode was shut down while it was answering.")
        case "inactivity": AgentProblem(isAbort: true, words: "opencode gave the turn up: nothing happened in it.")
        case _: .stopped
        }
    }
}

/// session.status
struct V2StatusChange: Decodable {
    let status: Status

    /// `{"type":"idle"}`, `{"type":"busy"}`, `{"type":"retry","attempt":…,"message":…,"next":…}`
    struct Status: Decodable {
        private let type: String
        private let attempt: Int?
        private let message: String?

        var fact: TurnFact {
            switch type {
            case "idle": .idle
            case "retry":
                .retrying(
                    attempt: attempt ?? 0, words: "Trying again: \(message ?? "the model provider did not answer")")
            case _: .busy
            }
        }
    }
}

/// session.retry.scheduled
struct V2Retry: Decodable {
    private let attempt: Int
    private let error: V2Problem

    var fact: TurnFact { .retrying(attempt: attempt, words: "Trying again: \(error.message)") }
}

/// session.step.started, .ended, .failed: one call of the model, which is one message of the assistant
struct V2Step: Decodable {
    private let assistantMessageID: String
    private let finish: String?
    private let error: V2Problem?
    private let model: V2ModelName?
    private let cost: Double?
    private let tokens: OpenCodeTokens?

    var facts: [TurnFact] {
        let message = MessageFact(
            id: assistantMessageID, author: .assistant,
            end: error.map { .failed($0.problem) } ?? MessageFact.End.v2(finish))
        let usage = tokens?.usage(cost: cost ?? 0, model: model?.id)
        return [.message(message)] + (usage.map { [.usage($0, message: assistantMessageID)] } ?? [])
    }
}

/// The model of a step or a message.
struct V2ModelName: Decodable {
    private let provider: String
    private let model: String

    private enum CodingKeys: String, CodingKey {
        case provider = "providerID"
        case model = "id"
    }

    /// As `ModelEntry.id`.
    var id: String { "\(provider)/\(model)" }
}

/// session.message.content.updated
struct V2ContentUpdated: Decodable {
    private let messageID: String
    private let content: [V2Content]

    var facts: [TurnFact] { V2Content.facts(content, in: messageID) }
}

/// session.text.started, .delta, .ended and the same of reasoning
struct V2BlockChange: Decodable {
    private let assistantMessageID: String
    private let ordinal: Int
    private let delta: String?
    private let text: String?

    func begun(_ block: V2Block) -> TurnFact { whole(block, "", isComplete: false) }

    func grown(_ block: V2Block) -> TurnFact {
        .delta(block: block.id(ordinal, in: assistantMessageID), message: assistantMessageID, text: delta ?? "")
    }

    func ended(_ block: V2Block) -> TurnFact { whole(block, text ?? "", isComplete: true) }

    private func whole(_ block: V2Block, _ text: String, isComplete: Bool) -> TurnFact {
        .block(
            BlockFact(
                id: block.id(ordinal, in: assistantMessageID), message: assistantMessageID, kind: block.kind,
                text: text, isComplete: isComplete))
    }
}

/// session.tool.input.started
struct V2ToolBegun: Decodable {
    private let assistantMessageID: String
    private let id: String
    private let name: String

    var fact: TurnFact {
        let call = ToolCall(
            id: V2Tool.id(id, in: assistantMessageID), name: name, status: .pending, title: name, output: "")
        return .tool(call, message: assistantMessageID)
    }
}

/// session.tool.called, .progress, .success, .failed: each says only what is new
struct V2ToolChange: Decodable {
    private let assistantMessageID: String
    private let id: String
    private let input: ToolInput?
    private let metadata: ToolInput?
    private let content: [V2ToolContent]?
    private let error: V2Problem?

    func fact(_ status: ToolCall.Status?) -> TurnFact {
        let output = error?.message ?? content.map(V2ToolContent.text) ?? metadata?["output"]
        return .toolChanged(
            ToolChange(
                id: V2Tool.id(id, in: assistantMessageID), status: status, input: input,
                output: output?.cut(to: ToolCall.outputLimit)),
            message: assistantMessageID)
    }
}
