import AgentModel

extension ChatEvent {
    /// The same as one or more events with at most `limit` bytes of text each: the first replaces what the whole one
    /// replaces, the others are appended. The last carries the number: who has it has all of them.
    public func parts(ofAtMost limit: Int) -> [ChatEvent] {
        let chunks: [String]
        switch what {
        case .text(_, let text, _), .reasoning(_, let text, _): chunks = text.chunks(of: limit)
        case .accepted, .waiting, .started, .tool, .permission, .question, .answered, .todos, .changes, .usage, .notice,
            .ended:
            return [self]
        }
        guard chunks.count > 1 else { return [self] }
        return chunks.enumerated().map { index, chunk in
            var part = self
            if index < chunks.count - 1 { part.number = nil }
            part.what = what.withText(chunk, isFirst: index == 0)
            return part
        }
    }
}

extension ChatEvent.What {
    fileprivate func withText(_ chunk: String, isFirst: Bool) -> ChatEvent.What {
        switch self {
        case .text(let block, _, let replaces): .text(block: block, text: chunk, replaces: replaces && isFirst)
        case .reasoning(let block, _, let replaces):
            .reasoning(block: block, text: chunk, replaces: replaces && isFirst)
        case .accepted, .waiting, .started, .tool, .permission, .question, .answered, .todos, .changes, .usage, .notice,
            .ended:
            self
        }
    }
}
