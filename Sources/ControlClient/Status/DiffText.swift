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
        for child in answer["tried_again"]?.elements ?? [] {
            let name = terminal.styled(Terminal.clean(child.text ?? "?"), .bold)
            lines.append("\(terminal.styled("~", .yellow)) \(name) tried again: it was parked under the last good plan")
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
        let changes = (element["settings"]?.elements ?? []).flatMap(Change.all)
        let width = changes.map(\.label.count).max() ?? 0
        let needsRestart = element["change"]?.text == "restarted"
        return ["\(terminal.styled(sign, style)) \(terminal.styled(name, .bold)) \(meaning)"]
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

        /// Of tables that have words of the form `first 1s, cap 30s`, the keys that are different and no others.
        private static let tables: Set<String> = ["delay", "intensity", "exits"]

        static func all(of setting: JSONValue) -> [Change] {
            let label = setting["setting"]?.text ?? "?"
            let needsRestart = setting["restarts"]?.flag ?? false
            guard let from = setting["from"]?.text, let to = setting["to"]?.text else {
                let words = "another value (not shown: it may be a secret)"
                return [Change(label: label, needsRestart: needsRestart, words: words)]
            }
            if tables.contains(label), let (old, new) = keys(from, to) {
                let pairs = zip(old, new).filter { $0.value != $1.value }
                if !pairs.isEmpty {
                    return pairs.map { old, new in
                        Change(
                            label: "\(label).\(old.key)", needsRestart: needsRestart,
                            words: "\(old.value) → \(new.value)")
                    }
                }
            }
            return [Change(label: label, needsRestart: needsRestart, words: "\(from) → \(to)")]
        }

        private typealias Key = (key: Substring, value: Substring)

        /// Both with the same keys in the same order; nil: one of them is no such table.
        private static func keys(_ from: String, _ to: String) -> ([Key], [Key])? {
            guard let old = keys(in: from), let new = keys(in: to), old.map(\.key) == new.map(\.key) else { return nil }
            return (old, new)
        }

        /// Commas within brackets divide nothing.
        private static func keys(in words: String) -> [Key]? {
            var depth = 0
            let parts = words.split { character in
                depth += character == "[" ? 1 : character == "]" ? -1 : 0
                return character == "," && depth == 0
            }
            let keys = parts.compactMap { part -> Key? in
                let part = part.drop { $0 == " " }
                guard let space = part.firstIndex(of: " ") else { return nil }
                return (part[..<space], part[part.index(after: space)...])
            }
            return keys.count == parts.count ? keys : nil
        }
    }
}
