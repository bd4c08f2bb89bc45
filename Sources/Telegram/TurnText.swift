/// A turn as one text that grows: what the agent says, its tool calls in a line each, and how it ended. Pure.
public struct TurnText: Hashable, Sendable {
    private enum Part: Hashable {
        case block(String)
        case tool(String)
        case note(String)
    }

    private var order: [Part] = []
    private var blocks: [String: String] = [:]
    private var tools: [String: String] = [:]
    private var waits: String?
    private var end: String?
    /// Nothing more comes.
    public var isOver: Bool { end != nil }

    /// Nothing yet.
    public init() {}

    /// Takes in an event; events that come again change nothing.
    public mutating func take(_ line: ChatLine) {
        switch line.type {
        case "waiting": waits = line.reason
        case "started": waits = nil
        case "text":
            guard let block = line.block, let text = line.text else { return }
            add(.block(block))
            blocks[block] = line.whole == true ? text : blocks[block, default: ""] + text
        case "tool":
            guard let tool = line.tool else { return }
            add(.tool(tool.id))
            let sign = ["completed": "✓", "failed": "✗"][tool.status] ?? "…"
            tools[tool.id] = "\(sign) \(tool.name)\(tool.title.isEmpty ? "" : ": \(tool.title.prefix(120))")"
        case "notice": if let text = line.text { add(.note(text)) }
        case "ended":
            waits = nil
            end = line.state == "done" ? "" : "— \(line.state ?? "over")\(line.reason.map { ": \($0)" } ?? "")"
        case _: break
        }
    }

    /// The whole of it; never empty.
    public var shown: String {
        var parts = order.map { part in
            switch part {
            case .block(let block): blocks[block] ?? ""
            case .tool(let id): tools[id] ?? ""
            case .note(let text): "(\(text))"
            }
        }
        if let waits { parts.append("Waiting: \(waits)") }
        if let end, !end.isEmpty { parts.append(end) }
        let text = parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
        if !text.isEmpty { return text }
        return isOver ? "Done, without a word." : "Working …"
    }

    private mutating func add(_ part: Part) { if !order.contains(part) { order.append(part) } }
}
