import Wire

/// The words of `nexusctl diff` and `reload`: what is different, child by child, and what that means for its run.
public struct DiffText: Hashable, Sendable {
    private let answer: JSONValue

    /// nexusd's answer to `diff`, or the first line of its answer to `reload`.
    public init(_ answer: JSONValue) { self.answer = answer }

    /// True when nothing is different.
    public var isEmpty: Bool {
        ["children", "groups", "supervisor", "tried_again"].allSatisfy { answer[$0]?.elements.isEmpty ?? true }
    }

    /// Some lines, each ending in a newline.
    public func text(for terminal: Terminal) -> String {
        let unchanged = answer["unchanged"]?.number ?? 0
        var lines: [String] = []
        for child in answer["children"]?.elements ?? [] { lines += words(child, "", terminal) }
        for child in answer["dependents"]?.elements ?? [] {
            let name = terminal.styled(Terminal.clean(child.text ?? "?"), .bold)
            lines.append("\(terminal.styled("!", .yellow)) \(name) restarted with what it requires")
        }
        let changed = (answer["children"]?.elements ?? []).compactMap { $0["name"]?.text }
        for child in triedAgain where !changed.contains(child) {
            let name = terminal.styled(Terminal.clean(child), .bold)
            lines.append("\(terminal.styled("~", .yellow)) \(name) tried again, for it is parked")
        }
        for group in answer["groups"]?.elements ?? [] { lines += words(group, "group ", terminal) }
        for key in answer["supervisor"]?.elements ?? [] {
            lines.append("\(terminal.styled("~", .yellow)) [supervisor] \(Terminal.clean(key.text ?? "?")) changed")
        }
        if let omitted = answer["omitted"]?.number, omitted > 0 { lines.append("… and \(omitted) more differences") }
        let count = "\(unchanged) \(unchanged == 1 ? "child" : "children") unchanged"
        // log-writer is counted like the others, and is in no file: who counts there has one less.
        let isAmong = unchanged > 0 && !touches("log-writer")
        lines.append(isEmpty ? "no difference: \(count)" : count + (isAmong ? ", log-writer among them" : ""))
        for note in answer["notes"]?.elements ?? [] { lines.append("note: \(Terminal.clean(note.text ?? "?"))") }
        return lines.joined(separator: "\n") + "\n"
    }

    private var triedAgain: [String] { (answer["tried_again"]?.elements ?? []).compactMap(\.text) }

    private func touches(_ name: String) -> Bool {
        (answer["children"]?.elements ?? []).contains { $0["name"]?.text == name }
            || (answer["dependents"]?.elements ?? []).contains { $0.text == name }
    }

    private func words(_ element: JSONValue, _ what: String, _ terminal: Terminal) -> [String] {
        let name = what + Terminal.clean(element["name"]?.text ?? "?")
        let (sign, style, meaning): (String, Terminal.Style, String) =
            switch element["change"]?.text {
            case "added": ("+", .green, "added")
            case "removed": ("-", .red, "removed")
            case "restarted": ("!", .yellow, "restarted")
            case _: ("~", .yellow, "changed in place")
            }
        let changes = (element["settings"]?.elements ?? []).map(Change.init)
        let width = changes.map(\.label.count).max() ?? 0
        let needsRestart = element["change"]?.text == "restarted"
        let isTriedAgain = what.isEmpty && element["name"]?.text.map(triedAgain.contains) ?? false
        let more = isTriedAgain ? ", and tried again, for it is parked" : ""
        return ["\(terminal.styled(sign, style)) \(terminal.styled(name, .bold)) \(meaning)\(more)"]
            + changes.map { change in
                let padded = change.label + String(repeating: " ", count: max(0, width - change.label.count))
                let why = needsRestart && change.needsRestart ? "  (needs the restart)" : ""
                return Terminal.clean("    \(padded)  \(change.words)\(why)")
            }
    }

    /// One key that is different.
    private struct Change {
        let label: String
        let needsRestart: Bool
        let words: String

        init(_ setting: JSONValue) {
            label = setting["setting"]?.text ?? "?"
            needsRestart = setting["restarts"]?.flag ?? false
            if let from = setting["from"]?.text, let to = setting["to"]?.text {
                words = "\(from) → \(to)"
            } else {
                words = "another value (not shown: it may be a secret)"
            }
        }
    }
}
