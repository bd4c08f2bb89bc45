extension AgentEvent {
    /// Longest text of one event in UTF-8 bytes, so that its JSON fits a frame of 64 KiB even when every byte needs
    /// six (`\u0001`).
    public static let textLimit = 10_000

    /// The same event as one or more that each fit a frame: long text is carried on by deltas, which append; a long
    /// notice, reason, resource or output is cut and ends in "…".
    public var pieces: [AgentEvent] {
        switch self {
        case .turnStarted: [self]
        case .textDelta(let block, let text):
            text.chunks(of: Self.textLimit).map { .textDelta(block: block, text: $0) }
        case .textBlock(let block, let text):
            text.chunks(of: Self.textLimit).enumerated().map { index, chunk in
                index == 0 ? .textBlock(block: block, text: chunk) : .textDelta(block: block, text: chunk)
            }
        case .reasoningDelta(let block, let text):
            text.chunks(of: Self.textLimit).map { .reasoningDelta(block: block, text: $0) }
        case .tool(let call): [.tool(call.fittingAFrame)]
        case .permissionAsked(let ask): [.permissionAsked(ask.fittingAFrame)]
        case .questionAsked(let ask): [.questionAsked(ask.fittingAFrame)]
        case .answered, .usage: [self]
        case .todos(let todos): [.todos(Self.fitting(todos))]
        case .changes(let changes): [.changes(Self.fitting(changes))]
        case .notice(let text): [.notice(text.cut(to: Self.textLimit))]
        case .turnEnded(let outcome): [.turnEnded(outcome.fittingAFrame)]
        }
    }
}

extension TurnOutcome {
    fileprivate var fittingAFrame: TurnOutcome {
        switch self {
        case .done: .done
        case .interrupted(let reason): .interrupted(reason: reason.cut(to: AgentEvent.textLimit))
        case .failed(let reason): .failed(reason: reason.cut(to: AgentEvent.textLimit))
        }
    }
}

extension PermissionAsk {
    /// At most 9 KB of texts: below a frame even when JSON writes every byte in six. Who allows it must know what he does not
    /// see.
    fileprivate var fittingAFrame: PermissionAsk {
        var whole = PermissionAsk(
            id: id, action: Self.told(action, 200), resources: Self.told(resources, of: 300),
            always: Self.told(always, of: 200), tool: tool?.cut(to: 200), details: details.map { Self.told($0, 3000) })
        whole.unanswered = unanswered
        return whole
    }

    private static func told(_ texts: [String], of limit: Int) -> [String] {
        let most = 10
        guard texts.count > most else { return texts.map { told($0, limit) } }
        return texts.prefix(most - 1).map { told($0, limit) } + [
            "… and \(texts.count - most + 1) more that are not shown"
        ]
    }

    private static func told(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        return text.cut(to: limit) + " [\(text.utf8.count - limit) bytes more are not shown]"
    }
}

extension ToolCall {
    /// Output kept of a tool call, in bytes.
    public static let outputLimit = 16_384
    /// Input kept of one, in bytes.
    public static let inputLimit = 4096

    /// Most output is plain text and keeps its 16 KiB; output full of control characters, which JSON writes in six
    /// bytes each, is cut to what fits.
    fileprivate var fittingAFrame: ToolCall {
        var call = self
        call.name = name.cut(to: 200)
        call.title = title.cut(to: 500)
        call.output = output.cut(to: Self.outputLimit)
        if Self.escapes(call.output) > 4000 { call.output = output.cut(to: 8000) }
        call.input = input?.cut(to: Self.inputLimit)
        if let input = call.input, Self.escapes(input) > 300 { call.input = input.cut(to: 1000) }
        return call
    }

    private static func escapes(_ text: String) -> Int {
        text.utf8.count { $0 < 0x20 && $0 != 0x0A && $0 != 0x09 && $0 != 0x0D }
    }
}

extension String {
    /// The text, or its beginning and "…", in at most `limit` UTF-8 bytes (and three for the mark).
    public func cut(to limit: Int) -> String {
        utf8.count <= limit ? self : String(self[..<boundary(after: limit, from: startIndex)]) + "…"
    }

    /// The text in pieces of at most `limit` UTF-8 bytes, never split inside a scalar; one empty piece for no text.
    public func chunks(of limit: Int) -> [String] {
        guard utf8.count > limit else { return [self] }
        var chunks: [String] = []
        var start = startIndex
        while start < endIndex {
            let end = boundary(after: limit, from: start)
            chunks.append(String(self[start..<end]))
            start = end
        }
        return chunks
    }

    private func boundary(after limit: Int, from start: Index) -> Index {
        guard var end = utf8.index(start, offsetBy: limit, limitedBy: endIndex) else { return endIndex }
        while end < endIndex, utf8[end] & 0xC0 == 0x80 { utf8.formIndex(before: &end) }
        return end
    }
}
