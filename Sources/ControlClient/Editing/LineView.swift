/// How a line is drawn over the one before it: as many rows as it takes, the cursor where it belongs. Pure; the caller
/// writes the text to the terminal.
public struct LineView: Sendable {
    private let prompt: String
    // Rows between the first drawn one and the cursor.
    private var cursorRow = 0

    /// Each row after the first is indented by the width of the prompt.
    public init(prompt: String) { self.prompt = prompt }

    /// From the line that is on the screen to this one.
    /// - Parameters:
    ///   - columns: of the terminal; under twice the prompt's width the line is still drawn, one character a row.
    ///   - rows: of the terminal; of a longer text the part around the cursor is shown.
    public mutating func drawn(
        _ characters: [Character], cursor: Int, columns: Int, rows: Int
    ) -> String {
        let layout = Layout(characters, cursor: cursor, indent: DisplayWidth.of(prompt), columns: columns)
        let height = max(rows, 1)
        let top = max(0, layout.cursor.row - height + 1)
        let shown = layout.rows[top..<min(layout.rows.count, top + height)]
        var text = home + "\u{1B}[J"
        for (number, row) in shown.enumerated() {
            if number > 0 { text += "\r\n" }
            let isFirst = top + number == 0
            text += (isFirst ? prompt : String(repeating: " ", count: DisplayWidth.of(prompt))) + row
        }
        cursorRow = layout.cursor.row - top
        let below = shown.count - 1 - cursorRow
        if below > 0 { text += "\u{1B}[\(below)A" }
        text += "\r"
        if layout.cursor.column > 0 { text += "\u{1B}[\(layout.cursor.column)C" }
        return text
    }

    /// Leaves the line as it stands and goes to the row below it.
    public mutating func finished(_ characters: [Character], columns: Int, rows: Int) -> String {
        let text = drawn(characters, cursor: characters.count, columns: columns, rows: rows)
        cursorRow = 0
        return text + "\r\n"
    }

    /// An empty screen; the next line is drawn at its top (ECMA-48: ED, CUP).
    public mutating func emptied() -> String {
        cursorRow = 0
        return "\u{1B}[2J\u{1B}[H"
    }

    /// To the first column of the first drawn row.
    private var home: String { cursorRow > 0 ? "\u{1B}[\(cursorRow)A\r" : "\r" }

    /// Rows of a text, and where its cursor is.
    private struct Layout {
        var rows = [""]
        var cursor = (row: 0, column: 0)

        init(_ characters: [Character], cursor place: Int, indent: Int, columns: Int) {
            var column = indent
            let edge = max(columns, indent + 2)
            func wrap(_ layout: inout Layout) {
                layout.rows.append("")
                column = indent
            }
            for (number, character) in characters.enumerated() {
                let width = DisplayWidth.of(character)
                if column + width > edge { wrap(&self) }
                if number == place { cursor = (rows.count - 1, column) }
                if character == "\n" {
                    wrap(&self)
                    continue
                }
                rows[rows.count - 1] += character == "\t" ? " " : Terminal.clean(String(character))
                column += width
            }
            guard place >= characters.count else { return }
            // Behind a full row the cursor stands at the start of the next one.
            if column >= edge { wrap(&self) }
            cursor = (rows.count - 1, column)
        }
    }
}
