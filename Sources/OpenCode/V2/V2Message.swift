/// A message as lists have it; `type` decides, types that say nothing here are read over.
struct V2Message: Decodable {
    let id: String
    /// What it says; nothing for the types that are not for people.
    let facts: [TurnFact]
    /// True for a step that changed files.
    let changedFiles: Bool

    private enum CodingKeys: String, CodingKey {
        case id, type, content, finish, error, outcome, snapshot, summary, status, cost, tokens, model
    }

    private struct Snapshot: Decodable {
        let files: [String]?
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let id = try fields.decode(String.self, forKey: .id)
        self.id = id
        var changedFiles = false
        switch try fields.decode(String.self, forKey: .type) {
        case "user": facts = [.message(MessageFact(id: id, author: .user, end: nil))]
        case "assistant":
            let finish = try fields.decodeIfPresent(String.self, forKey: .finish)
            let error = try fields.decodeIfPresent(V2Problem.self, forKey: .error)
            let end = error.map { .failed($0.problem) } ?? MessageFact.End.v2(finish)
            let content = try fields.decode([V2Content].self, forKey: .content)
            let tokens = try fields.decodeIfPresent(OpenCodeTokens.self, forKey: .tokens)
            let model = try? fields.decodeIfPresent(V2ModelName.self, forKey: .model)
            let cost = try fields.decodeIfPresent(Double.self, forKey: .cost) ?? 0
            let usage = tokens.map { [TurnFact.usage($0.usage(cost: cost, model: model?.id), message: id)] } ?? []
            facts =
                [.message(MessageFact(id: id, author: .assistant, end: end))] + usage + V2Content.facts(content, in: id)
            changedFiles = try fields.decodeIfPresent(Snapshot.self, forKey: .snapshot)?.files?.isEmpty == false
        case "idle":
            // What ended the run, also where it ended before a model was asked.
            let error = try fields.decodeIfPresent(V2Problem.self, forKey: .error)
            switch try fields.decodeIfPresent(String.self, forKey: .outcome) {
            case "failed": facts = [.problem(error?.problem ?? .unexplained)]
            case "interrupted": facts = [.problem(.stopped)]
            case _: facts = []
            }
        case "compaction": facts = try Self.compaction(id, fields)
        case _: facts = []
        }
        self.changedFiles = changedFiles
    }
}

extension V2Message {
    /// Of a summary there is one message, which is what asked for it, and in the end the summary too.
    private static func compaction(
        _ id: String, _ fields: KeyedDecodingContainer<CodingKeys>
    ) throws -> [TurnFact] {
        let asked = TurnFact.message(MessageFact(id: id, author: .user, end: nil))
        switch try fields.decodeIfPresent(String.self, forKey: .status) {
        case "completed":
            let answer = id + "/summary"
            let text = try fields.decodeIfPresent(String.self, forKey: .summary) ?? ""
            return [
                asked, .message(MessageFact(id: answer, author: .assistant, end: .finished)),
                .block(
                    BlockFact(
                        id: V2Block.text.id(0, in: answer), message: answer, kind: .text, text: text,
                        isComplete: !text.isEmpty)),
                .notice(TurnFact.compacted),
            ]
        case "failed":
            let error = try fields.decodeIfPresent(V2Problem.self, forKey: .error)
            return [asked, .problem(error?.problem ?? .unexplained)]
        case _: return [asked]
        }
    }
}

extension TurnFact {
    static let compacted = "The conversation was compacted to fit the model."
}

extension MessageFact.End {
    /// From `finish`; nil while the step runs.
    static func v2(_ finish: String?) -> MessageFact.End? {
        switch finish {
        case nil: nil
        case "tool-calls": .toolCalls
        case "length": .cut
        case "content-filter":
            .failed(.init(isAbort: false, words: "The model provider's content filter stopped the answer."))
        // "stop", "error" and "unknown" without an error, and whatever comes: opencode goes on with nothing.
        case _: .finished
        }
    }
}

extension AgentProblem {
    static let unexplained = AgentProblem(
        isAbort: false, words: "opencode reported an error without words; see its log.")
}

/// A piece of an assistant's message: text, reasoning or a tool call.
struct V2Content: Decodable {
    private let type: String
    private let text: String
    private let isClosed: Bool
    private let tool: V2Tool?

    private enum CodingKeys: String, CodingKey {
        case type, text, time
    }

    private struct Time: Decodable {
        let completed: Double?
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        type = try fields.decode(String.self, forKey: .type)
        text = type == "tool" ? "" : try fields.decodeIfPresent(String.self, forKey: .text) ?? ""
        isClosed = try type == "reasoning" && fields.decodeIfPresent(Time.self, forKey: .time)?.completed != nil
        tool = type == "tool" ? try V2Tool(from: decoder) : nil
    }

    /// Texts and reasoning have no ids: events count them in their message, each kind from 0.
    static func facts(_ content: [V2Content], in message: String) -> [TurnFact] {
        var (texts, thoughts) = (0, 0)
        return content.compactMap { piece in
            switch piece.type {
            case "text":
                defer { texts += 1 }
                // What is stored of a text is nothing until it is whole.
                return .block(
                    BlockFact(
                        id: V2Block.text.id(texts, in: message), message: message, kind: .text, text: piece.text,
                        isComplete: !piece.text.isEmpty))
            case "reasoning":
                defer { thoughts += 1 }
                return .block(
                    BlockFact(
                        id: V2Block.reasoning.id(thoughts, in: message), message: message, kind: .reasoning,
                        text: piece.text, isComplete: piece.isClosed && !piece.text.isEmpty))
            case _: return piece.tool.map { .tool($0.call(in: message), message: message) }
            }
        }
    }
}

/// Names for what has none: a text or reasoning is known by its message and its number there.
enum V2Block {
    case text, reasoning

    func id(_ ordinal: Int, in message: String) -> String {
        switch self {
        case .text: "\(message)/text-\(ordinal)"
        case .reasoning: "\(message)/reasoning-\(ordinal)"
        }
    }

    var kind: BlockFact.Kind {
        switch self {
        case .text: .text
        case .reasoning: .reasoning
        }
    }
}
