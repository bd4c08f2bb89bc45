import AgentModel

extension String {
    /// With U+FFFD for each U+0000: SQLite's text ends at that one (https://sqlite.org/nulinstr.html), and what stands behind it
    /// would be stored and never seen again.
    var storable: String {
        guard utf8.contains(0) else { return self }
        var scalars = UnicodeScalarView()
        for scalar in unicodeScalars { scalars.append(scalar == "\0" ? "\u{FFFD}" : scalar) }
        return String(scalars)
    }
}

extension ChatEvent.What {
    /// The same in text that can be stored: who sees it live sees what is read again later. What is kept as JSON alone has its
    /// U+0000 escaped, and stays as it is: ids of what waits have to be the agent's own.
    var storable: ChatEvent.What {
        switch self {
        case .text(let block, let text, let replaces):
            .text(block: block.storable, text: text.storable, replaces: replaces)
        case .reasoning(let block, let text, let replaces):
            .reasoning(block: block.storable, text: text.storable, replaces: replaces)
        case .tool(let call):
            .tool(
                ToolCall(
                    id: call.id.storable, name: call.name.storable, status: call.status, title: call.title.storable,
                    input: call.input?.storable, output: call.output.storable))
        case .ended(let state, let reason): .ended(state, reason: reason?.storable)
        case .accepted, .waiting, .started, .permission, .question, .answered, .todos, .changes, .usage, .notice: self
        }
    }
}
