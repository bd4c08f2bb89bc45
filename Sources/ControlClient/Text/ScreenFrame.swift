/// One picture of a screen: lines that stand still at the top, lines that scroll below them, and one line at the bottom.
/// Whatever the size of the terminal, it is never written beyond its edge, so nothing scrolls away and nothing wraps.
public struct ScreenFrame {
    /// Size of the terminal, each at least 1.
    public var columns: Int
    /// Lines of it.
    public var rows: Int
    /// Shown first: what this is, the heads of the columns.
    public var head: [String] = []
    /// Scrolls.
    public var body: [String] = []
    /// The bottom line.
    public var footer = ""
    /// First line of the body that is shown; corrected by `settle`.
    public var offset = 0

    /// An empty one.
    public init(columns: Int, rows: Int) {
        self.columns = max(1, columns)
        self.rows = max(1, rows)
    }

    /// Lines of the body that have room.
    public var bodyRows: Int { max(0, rows - shownHead - 1) }

    /// On a low terminal the body is worth more than the head's last lines, and the footer more than both.
    private var shownHead: Int { min(head.count, max(0, rows - 1 - min(body.count, 3))) }

    /// Scrolls by so many lines, as far as there is something to see.
    public mutating func scroll(by lines: Int) {
        offset += lines
        settle()
    }

    /// Brings the offset back to where there are lines.
    public mutating func settle() { offset = max(0, min(offset, body.count - bodyRows)) }

    /// True when not all of the body is to be seen.
    public var isCut: Bool { body.count > bodyRows }

    /// Every line, cut at the right edge.
    public var lines: [String] {
        let visible = body.dropFirst(offset).prefix(bodyRows)
        let filler = [String](repeating: "", count: max(0, bodyRows - visible.count))
        return (head.prefix(shownHead) + visible + filler + [footer]).prefix(rows).map {
            Terminal.cut($0, to: columns)
        }
    }

    /// What is written to the terminal: ECMA-48 home, each line erased and then written. Not the other way round: behind a
    /// line that is as long as the terminal is wide the cursor still stands on its last character, which would be erased.
    public var drawing: String { "\u{1B}[H" + lines.map { "\u{1B}[K" + $0 }.joined(separator: "\r\n") }
}

extension Terminal {
    /// A line with styles in it, cut so that it takes at most so many columns; a style that is cut open is closed.
    public static func cut(_ line: String, to columns: Int) -> String {
        var cut = ""
        var width = 0
        var isStyled = false
        var rest = line[...]
        while let character = rest.popFirst() {
            if character == "\u{1B}" {
                // SGR: ESC [ … m
                let end = rest.firstIndex(of: "m") ?? rest.endIndex
                let sequence = rest[..<end]
                isStyled = sequence != "[0"
                cut += "\u{1B}" + sequence + "m"
                rest = rest[end...].dropFirst()
                continue
            }
            guard width < columns else { break }
            // The last column is for the mark when more comes.
            if width == columns - 1, rest.contains(where: { $0 != "\u{1B}" }), hasText(rest) {
                cut += "…"
                return cut + (isStyled ? "\u{1B}[0m" : "")
            }
            cut.append(character)
            width += 1
        }
        return cut + (isStyled ? "\u{1B}[0m" : "")
    }

    /// Whether something to see comes behind this place.
    private static func hasText(_ rest: Substring) -> Bool {
        var rest = rest
        while rest.first == "\u{1B}", let end = rest.firstIndex(of: "m") { rest = rest[end...].dropFirst() }
        return !rest.isEmpty
    }

    /// Parts of a sentence in as few lines as they fit into, never broken inside a part unless one alone is too long.
    public static func wrapped(_ parts: [String], separator: String, columns: Int) -> [String] {
        var lines: [String] = []
        for part in parts {
            if let last = lines.last, last.count + separator.count + part.count <= columns {
                lines[lines.count - 1] = last + separator + part
            } else {
                lines.append(part)
            }
        }
        return lines
    }
}
