import ControlClient
import Wire

/// Shows the events of a turn. Only the agent's text goes to standard output, so that it can be piped on; what it thinks
/// and does, and what happens to the turn, goes to standard error (in a history: all to standard output).
struct TurnPrinter {
    private let terminal: Terminal
    private let toErrors: Bool
    /// Nothing was printed yet.
    private(set) var isFresh: Bool
    private var shown: [String: ShownText] = [:]
    private var block: String?
    private var isAtLineStart = true
    private var lastNote: String?
    private var usage: JSONValue?
    /// Nothing is known to have come of these.
    private var open: [ChatAsk] = []

    init(for terminal: Terminal, toErrors: Bool = true, isFresh: Bool = true) {
        self.terminal = terminal
        self.toErrors = toErrors
        self.isFresh = isFresh
    }

    /// One event.
    mutating func show(_ event: JSONValue) {
        switch event["type"]?.text {
        case "text": show(text: event)
        case "reasoning": if !toErrors || terminal.columns != nil { show(reasoning: event) }
        case "tool": show(tool: event["tool"] ?? .null)
        case "waiting": note("queued: \(event["reason"]?.text ?? "the agent is busy")")
        case "notice": note(event["text"]?.text ?? "")
        case "permission", "question": if let ask = ChatAsk(event) { show(ask) }
        case "answered":
            open.removeAll { $0.id == event["id"]?.text }
            show(answered: event)
        case "todos":
            let todos = event["todos"]?.elements ?? []
            let done = todos.count { ["completed", "cancelled"].contains($0["status"]?.text) }
            let current = todos.first { $0["status"]?.text == "in_progress" }?["content"]?.text
            note("to do: \(done) of \(todos.count) done\(current.map { "; now: \($0)" } ?? "")")
        case "changes":
            for change in event["changes"]?.elements ?? [] {
                let lines = "+\(change["additions"]?.number ?? 0) -\(change["deletions"]?.number ?? 0)"
                note("\(change["status"]?.text ?? "changed") \(change["path"]?.text ?? "?") \(lines)")
            }
        case "usage": usage = event["usage"]
        case "ended":
            noteUsage()
            noteUnanswered(isOver: true)
            show(end: event)
        case _: break
        }
    }

    private mutating func show(_ ask: ChatAsk) {
        for line in ask.whole { note(line) }
        open.append(ask)
    }

    /// What was asked and not answered, of a turn that is over or goes on.
    mutating func noteUnanswered(isOver: Bool) {
        for ask in open { note("\(isOver ? "not answered" : "waits for an answer"): \(ask.brief)") }
        open = []
    }

    /// Ends a line that is not ended.
    mutating func finishLine() {
        if !isAtLineStart { Output.write("\n") }
        isAtLineStart = true
    }

    /// A line beside the answer; the same one is not said twice in a row.
    mutating func note(_ text: String) {
        guard !text.isEmpty, text != lastNote else { return }
        lastNote = text
        finishLine()
        let line = terminal.styled("[\(Terminal.clean(text))]", .dim)
        isFresh = false
        if toErrors { Output.complain(line) } else { Output.write(line + "\n") }
    }

    /// What the turn used, where it is known.
    mutating func noteUsage() {
        guard let used = usage else { return }
        usage = nil
        let kinds = ["input", "output", "reasoning", "cache_read", "cache_write"]
        let tokens = kinds.reduce(0) { $0 + (used[$1]?.number ?? 0) }
        note("\(tokens) tokens\(used["cost"].flatMap(Self.dollars).map { ", \($0) US dollars" } ?? "")")
    }

    /// With four digits behind the point; nil: nothing, or nothing known.
    private static func dollars(_ cost: JSONValue) -> String? {
        let amount: Double
        switch cost {
        case .integer(let number): amount = Double(number)
        case .real(let number): amount = number
        case .null, .bool, .string, .array, .object: return nil
        }
        guard amount > 0, let units = Int64(exactly: (amount * 10_000).rounded(.up)) else { return nil }
        let digits = String(units % 10_000)
        return "\(units / 10_000)." + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private mutating func show(text event: JSONValue) {
        let key = event["block"]?.text ?? ""
        let text = event["text"]?.text ?? ""
        if block != nil, block != key { finishLine() }
        block = key
        switch shown[key, default: ShownText()].take(text, isWhole: event["whole"]?.flag == true) {
        case .more(let text): write(text)
        case .anew(let text):
            finishLine()
            write(text)
        }
    }

    private mutating func write(_ text: String) {
        if text.isEmpty { return }
        Output.write(Terminal.clean(text, keepNewlines: true))
        isAtLineStart = text.hasSuffix("\n")
        isFresh = false
    }

    private mutating func show(reasoning event: JSONValue) {
        let text = Terminal.clean(event["text"]?.text ?? "", keepNewlines: true)
        if text.isEmpty { return }
        let key = "reasoning " + (event["block"]?.text ?? "")
        if block != nil, block != key { finishLine() }
        block = key
        Output.write(terminal.styled(text, .dim))
        isAtLineStart = text.hasSuffix("\n")
        isFresh = false
    }

    private mutating func show(tool call: JSONValue) {
        let title = call["title"]?.text ?? ""
        note("\(call["name"]?.text ?? "tool")\(title.isEmpty ? "" : ": \(title)") \(call["status"]?.text ?? "")")
    }

    private mutating func show(answered event: JSONValue) {
        let by =
            switch event["by"]?.text {
            case "user": event["who"]?.text.map { " by \($0)" } ?? ""
            case "default": ", by default"
            case _: ", elsewhere"
            }
        switch event["answer"]?.text {
        case "once": note("allowed once\(by)")
        case "always": note("allowed from now on\(by)")
        case "reject": note("rejected\(by)")
        case "answered": note("answered\(Self.chosen(event))\(by)")
        case "dismissed": note("put aside\(by)")
        case _: note("it does not wait for an answer any more")
        }
    }

    /// What was chosen of each question's options; own words are not kept.
    private static func chosen(_ event: JSONValue) -> String {
        let answers = (event["chosen"]?.elements ?? []).map { one in
            one.elements.map { $0.text ?? "own words" }.joined(separator: ", ")
        }
        return answers.isEmpty ? "" : ": " + answers.joined(separator: "; ")
    }

    private mutating func show(end event: JSONValue) {
        finishLine()
        guard let state = event["state"]?.text, state != "done" else { return }
        note("\(state): \(event["reason"]?.text ?? "no reason was given")")
    }
}
