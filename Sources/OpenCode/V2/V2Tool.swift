import AgentModel

/// A tool call as a message has it.
struct V2Tool: Decodable {
    private let id: String
    private let name: String
    private let state: State

    /// `streaming` (its input is being written) → `running` → `completed` or `error`.
    private struct State: Decodable {
        let status: ToolCall.Status
        let input: ToolInput
        let output: String

        private enum CodingKeys: String, CodingKey {
            case status, input, content, error, metadata
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            status =
                switch try fields.decode(String.self, forKey: .status) {
                case "streaming": .pending
                case "running": .running
                case "completed": .completed
                case _: .failed
                }
            input = (try? fields.decode(ToolInput.self, forKey: .input)) ?? ToolInput()
            let content = try fields.decodeIfPresent([V2ToolContent].self, forKey: .content)
            let error = try fields.decodeIfPresent(V2Problem.self, forKey: .error)
            let progress = try fields.decodeIfPresent(ToolInput.self, forKey: .metadata)?["output"]
            output = error?.message ?? content.map(V2ToolContent.text) ?? progress ?? ""
        }
    }

    /// Providers number calls in each answer anew: only with the message an id is unique.
    static func id(_ call: String, in message: String) -> String { "\(message)/\(call)" }

    func call(in message: String) -> ToolCall {
        ToolCall(
            id: Self.id(id, in: message), name: name, status: state.status, title: state.input.title(of: name),
            input: state.input.words, output: state.output.cut(to: ToolCall.outputLimit))
    }
}

/// A piece of what a tool gave.
struct V2ToolContent: Decodable {
    private let text: String?
    private let uri: String?

    /// All texts, one below the other; of a file where it is.
    static func text(_ content: [V2ToolContent]) -> String {
        content.compactMap { $0.text ?? $0.uri }.joined(separator: "\n")
    }
}
