import AgentModel

/// What is stored of a turn that is told once more from its beginning, and so what of that is new. Pure.
///
/// Text comes in pieces that are cut elsewhere than the first time: a block is level once as much was heard of it as is
/// stored, and from there on its pieces pass as they are. The first that passes is all of the block, in place of what came
/// before: somebody may have seen words that were lost before they were stored.
struct KnownTurn {
    private enum Level: Hashable {
        /// Stored so far, and heard again so far.
        case behind(stored: String, heard: String)
        case level
    }

    private struct Block: Hashable {
        var isReasoning: Bool
        var id: String
    }

    private var blocks: [Block: Level] = [:]
    private var tools: [String: ToolCall] = [:]
    private var asked: Set<String> = []
    private var answered: Set<String> = []
    private var notices: Set<String> = []
    private var lists: (todos: [Todo]?, changes: [FileChange]?, usage: Usage?) = (nil, nil, nil)

    /// From the turn's blocks as the store has them (`ChatStore.blocks`).
    init(_ stored: [ChatEvent]) {
        for event in stored {
            switch event.what {
            case .text(let id, let text, _):
                blocks[Block(isReasoning: false, id: id)] = .behind(stored: text, heard: "")
            case .reasoning(let id, let text, _):
                blocks[Block(isReasoning: true, id: id)] = .behind(stored: text, heard: "")
            case .tool(let call): tools[call.id] = call
            case .permission(let ask): asked.insert(ask.id)
            case .question(let ask): asked.insert(ask.id)
            case .answered(let answer): answered.insert(answer.id)
            case .todos(let todos): lists.todos = todos
            case .changes(let changes): lists.changes = changes
            case .usage(let usage): lists.usage = usage
            case .notice(let words): notices.insert(words)
            case .accepted, .waiting, .started, .ended: break
            }
        }
    }

    /// What of it is to be stored and shown; nil: nothing.
    mutating func news(_ what: ChatEvent.What) -> ChatEvent.What? {
        switch what {
        case .text(let id, let text, let replaces):
            let block = Block(isReasoning: false, id: id)
            return news(of: block, text, replaces).map { .text(block: id, text: $0.text, replaces: $0.replaces) }
        case .reasoning(let id, let text, let replaces):
            let block = Block(isReasoning: true, id: id)
            return news(of: block, text, replaces).map { .reasoning(block: id, text: $0.text, replaces: $0.replaces) }
        case .tool(let call):
            defer { tools[call.id] = call }
            return tools[call.id] == call ? nil : what
        case .permission(let ask): return asked.insert(ask.id).inserted ? what : nil
        case .question(let ask): return asked.insert(ask.id).inserted ? what : nil
        case .answered(let answer): return answered.insert(answer.id).inserted ? what : nil
        case .todos(let todos):
            defer { lists.todos = todos }
            return lists.todos == todos ? nil : what
        case .changes(let changes):
            defer { lists.changes = changes }
            return lists.changes == changes ? nil : what
        case .usage(let usage):
            defer { lists.usage = usage }
            return lists.usage == usage ? nil : what
        case .notice(let words): return notices.insert(words).inserted ? what : nil
        case .accepted, .waiting, .started, .ended: return what
        }
    }

    private mutating func news(
        of block: Block, _ text: String, _ replaces: Bool
    ) -> (text: String, replaces: Bool)? {
        let (stored, before): (String, String)
        switch blocks[block] {
        case .level: return (text, replaces)
        case .behind(let kept, let heard): (stored, before) = (kept, heard)
        case nil: (stored, before) = ("", "")
        }
        let heard = replaces ? text : before + text
        // What the agent has kept may be behind what it had streamed.
        guard heard.utf8.count >= stored.utf8.count else {
            blocks[block] = .behind(stored: stored, heard: heard)
            return nil
        }
        blocks[block] = .level
        return heard == stored ? nil : (heard, true)
    }
}
