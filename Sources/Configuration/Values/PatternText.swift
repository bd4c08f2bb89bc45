import Wire

/// A ready pattern: literal text with `{name}` and `{name:int}`.
enum PatternText {
    /// Longest pattern, in bytes.
    static let limit = 1024
    /// Values taken from one line.
    static let captureLimit = 8

    /// The pattern, or why it is none.
    static func parse(_ text: String) throws(Template.Problem) -> LinePattern {
        guard !text.isEmpty else { throw Template.Problem(words: "the pattern is empty; it would match every line") }
        guard text.utf8.count <= limit else {
            throw Template.Problem(words: "the pattern has \(text.utf8.count) bytes; at most \(limit) are taken")
        }
        guard !text.contains(where: \.isNewline) else {
            throw Template.Problem(words: "the pattern has a newline; it is compared with one line at a time")
        }
        var pieces: [LinePattern.Piece] = []
        var names: Set<String> = []
        for piece in try Template(text).pieces {
            switch piece {
            case .literal(let text): pieces.append(.literal(text))
            case .reference(let word):
                guard case .literal = pieces.last else {
                    throw Template.Problem(
                        words: "'{\(word)}' needs literal text before it, so that one knows where the value begins")
                }
                let (name, isInteger) = try capture(word)
                guard names.insert(name).inserted else {
                    throw Template.Problem(words: "'\(name)' is captured twice")
                }
                pieces.append(isInteger ? .integer(name: name) : .capture(name: name))
            }
        }
        guard names.count <= captureLimit else {
            throw Template.Problem(words: "\(names.count) values are captured; at most \(captureLimit) are taken")
        }
        return LinePattern(pieces: pieces)
    }

    /// Names that a pattern captures.
    static func captures(of pattern: LinePattern) -> [String] {
        pattern.pieces.compactMap { piece in
            switch piece {
            case .literal: nil
            case .capture(let name), .integer(let name): name
            }
        }
    }

    private static func capture(_ word: String) throws(Template.Problem) -> (name: String, isInteger: Bool) {
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, Name.isValid(String(parts[0])) else {
            throw Template.Problem(
                words:
                    "'{\(word)}' is no capture; write {name} or {name:int}, or double the brace where it is meant itself"
            )
        }
        guard parts.count == 1 || parts[1] == "int" else {
            throw Template.Problem(words: "'\(parts[1])' is no kind of capture; the only one is 'int'")
        }
        return (String(parts[0]), parts.count == 2)
    }
}
