import ControlClient
import Wire

/// What `doctor` found about one thing.
struct Finding: Hashable {
    /// How bad it is.
    enum Level: String {
        /// As it should be.
        case ok
        /// Works, but the owner should know.
        case warn
        /// Does not work, or will not after the next start.
        case bad
    }

    let level: Level
    /// What was looked at; one or two words.
    let subject: String
    /// What was found.
    let words: String
    /// What to do; nil where there is nothing to do.
    var remedy: String?

    init(_ level: Level, _ subject: String, _ words: String, remedy: String? = nil) {
        self.level = level
        self.subject = subject
        self.words = words
        self.remedy = remedy
    }

    /// For `--json`.
    var json: JSONValue {
        .object([
            .init("level", .string(level.rawValue)), .init("subject", .string(subject)),
            .init("words", .string(words)), .init("remedy", remedy.map { .string($0) } ?? .null),
        ])
    }
}

extension [Finding] {
    /// A line each, and one more for a remedy.
    func text(for terminal: Terminal) -> String {
        let width = map(\.subject.count).max() ?? 0
        var text = ""
        for finding in self {
            let level = finding.level.rawValue
            let subject = finding.subject + String(repeating: " ", count: width - finding.subject.count)
            text += terminal.styled(level, finding.level.style) + String(repeating: " ", count: 6 - level.count)
            // Folded as if the level, which has a colour, stood before it.
            let line = String(repeating: " ", count: 6) + "\(subject)  \(Terminal.clean(finding.words))"
            text += terminal.folded(line, indent: 8 + width).dropFirst(6) + "\n"
            if let remedy = finding.remedy {
                let line = String(repeating: " ", count: 8 + width) + "→ \(Terminal.clean(remedy))"
                text += terminal.folded(line, indent: 10 + width) + "\n"
            }
        }
        return text
    }
}

extension Finding.Level {
    fileprivate var style: Terminal.Style {
        switch self {
        case .ok: .green
        case .warn: .yellow
        case .bad: .red
        }
    }
}
