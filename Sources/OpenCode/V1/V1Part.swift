import AgentModel

/// A part of a message as v1 has it; `type` decides, unknown types say nothing.
struct V1Part: Decodable {
    let id: String
    let messageID: String
    private let type: String
    private let text: String?
    private let synthetic: Bool?
    private let ignored: Bool?
    private let time: Time?
    private let callID: String?
    private let tool: String?
    private let state: V1ToolState?
    private let attempt: Int?
    private let error: V1Problem?

    private struct Time: Decodable {
        let end: Double?
    }

    private enum CodingKeys: String, CodingKey {
        case id, messageID, type, text, synthetic, ignored, time, callID, tool, state, attempt, error
    }

    /// Only what the type has is read, so that a field of another meaning in another type does no harm.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(String.self, forKey: .id)
        messageID = try fields.decode(String.self, forKey: .messageID)
        type = try fields.decode(String.self, forKey: .type)
        let isText = type == "text" || type == "reasoning"
        text = isText ? try fields.decode(String.self, forKey: .text) : nil
        synthetic = isText ? try fields.decodeIfPresent(Bool.self, forKey: .synthetic) : nil
        ignored = isText ? try fields.decodeIfPresent(Bool.self, forKey: .ignored) : nil
        time = isText ? try fields.decodeIfPresent(Time.self, forKey: .time) : nil
        callID = type == "tool" ? try fields.decodeIfPresent(String.self, forKey: .callID) : nil
        tool = type == "tool" ? try fields.decode(String.self, forKey: .tool) : nil
        state = type == "tool" ? try fields.decode(V1ToolState.self, forKey: .state) : nil
        attempt = type == "retry" ? try fields.decodeIfPresent(Int.self, forKey: .attempt) : nil
        error = type == "retry" ? try fields.decodeIfPresent(V1Problem.self, forKey: .error) : nil
    }

    /// For the reducer.
    var facts: [TurnFact] {
        switch type {
        case "text", "reasoning": [.block(block)]
        case "tool": toolCall.map { [.tool($0, message: messageID)] } ?? []
        case "retry":
            [
                .retrying(
                    attempt: attempt ?? 0,
                    words: "The model provider did not answer; trying again. \(error?.problem.words ?? "")")
            ]
        case "compaction": [.notice(TurnFact.compacted)]
        case _: []
        }
    }

    private var block: BlockFact {
        let kind: BlockFact.Kind =
            if synthetic == true || ignored == true { .hidden } else { type == "text" ? .text : .reasoning }
        return BlockFact(
            id: id, message: messageID, kind: kind, text: text ?? "", isComplete: time?.end != nil)
    }

    private var toolCall: ToolCall? {
        guard let tool, let state else { return nil }
        return ToolCall(
            id: callID.map { V1ToolPlace.toolCall(messageID, $0) } ?? id, name: tool, status: state.status,
            title: state.title(of: tool), input: state.input.words,
            output: (state.output ?? state.error ?? "").cut(to: ToolCall.outputLimit))
    }
}

/// The state of a tool call: `pending` → `running` → `completed` or `error`.
struct V1ToolState: Decodable {
    let status: ToolCall.Status
    let output: String?
    let error: String?
    private let title: String?
    let input: ToolInput

    private enum CodingKeys: String, CodingKey {
        case status, title, output, error, input, metadata
    }

    private enum MetadataKeys: String, CodingKey {
        case output
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        status =
            switch try fields.decode(String.self, forKey: .status) {
            case "pending": .pending
            case "running": .running
            case "completed": .completed
            case _: .failed
            }
        title = try fields.decodeIfPresent(String.self, forKey: .title)
        error = try fields.decodeIfPresent(String.self, forKey: .error)
        input = (try? fields.decode(ToolInput.self, forKey: .input)) ?? ToolInput()
        // While a command runs its output so far is in the metadata.
        let metadata = try? fields.nestedContainer(keyedBy: MetadataKeys.self, forKey: .metadata)
        output =
            try fields.decodeIfPresent(String.self, forKey: .output)
            ?? (try? metadata?.decodeIfPresent(String.self, forKey: .output)) ?? nil
    }

    /// The server's title, else what the call is about, from its input.
    func title(of tool: String) -> String {
        if let title, !title.isEmpty { return title.cut(to: 500) }
        return input.title(of: tool)
    }
}
