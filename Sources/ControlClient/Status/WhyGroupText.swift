import Wire

/// The words of `nexusctl why GROUP`: its rule, what comes next, what would park it, and who of it does not serve.
public struct WhyGroupText: Hashable, Sendable {
    private let group: GroupStatus
    private let answer: JSONValue
    private let members: [ChildStatus]
    private let file: String?

    /// nexusd's answers to `why` and `status`, and the text of Supervisor.toml where it may be read.
    public init(_ group: GroupStatus, _ answer: JSONValue, _ report: StatusReport, file: String? = nil) {
        self.group = group
        self.answer = answer
        self.file = file
        members = report.children.filter { $0.group == group.name }
    }

    /// Children that are named one by one.
    private static let shownChildren = 16

    /// Some lines, each ending in a newline.
    public func text(for terminal: Terminal) -> String {
        let name = terminal.styled(Terminal.clean(group.name), .bold)
        let state = terminal.styled(group.state, group.state == "parked" ? .red : .plain)
        let because = answer["because"]?.text.map { " because of \(Terminal.clean($0))" } ?? ""
        let head = "group \(name) is \(state)\(because)"
        let told = (ruleLines + memberLines + settingLines).map {
            terminal.folded(Terminal.clean($0), indent: WhyText.indent)
        }
        return ([head] + told).joined(separator: "\n") + "\n"
    }

    private var ruleLines: [String] {
        [("rule    ", "rule"), ("next    ", "next"), ("gives up", "gives_up")].compactMap { title, member in
            answer[member]?.text.map { "  \(title) \($0)" }
        }
    }

    /// Those that serve only where all do.
    private var memberLines: [String] {
        let others = members.filter { $0.state != "ready" }
        let shown = (others.isEmpty ? members : others).prefix(Self.shownChildren)
        var lines = shown.map { child in
            "  child    \(child.name) is \(child.state)" + (child.words.isEmpty ? "" : ": \(child.words)")
        }
        let left = (others.isEmpty ? members.count : others.count) - shown.count
        if left > 0 { lines.append("  child    … and \(left) more: `nexusctl status \(group.name)`") }
        let worst = answer["because"]?.text ?? others.first { $0.state != "off" && $0.state != "done" }?.name
        if let worst { lines.append("  do       see `nexusctl why \(worst)`") }
        return lines
    }

    private var settingLines: [String] { WhyText.settingLines(of: answer, in: file) }
}
