/// Rows of cells in aligned columns. Widths count characters; the last column is cut at the terminal's edge, no other.
public struct TextTable {
    /// One cell.
    public struct Cell: Hashable, Sendable {
        /// Text, already clean.
        public var text: String
        /// Style.
        public var style: Terminal.Style

        /// Both.
        public init(_ text: String, _ style: Terminal.Style = .plain) {
            self.text = text
            self.style = style
        }
    }

    private enum Row {
        case cells([Cell])
        case line(String, Terminal.Style)
    }

    /// Columns whose cells stand at the right edge.
    private let rightAligned: [Int]
    private var rows: [Row] = []
    private static let gap = 2

    /// An empty table.
    public init(rightAligned: [Int] = []) { self.rightAligned = rightAligned }

    /// A row of cells.
    public mutating func append(_ cells: [Cell]) { rows.append(.cells(cells)) }

    /// A line of its own across all columns.
    public mutating func append(line: String, _ style: Terminal.Style = .plain) { rows.append(.line(line, style)) }

    /// All rows, each ending in a newline.
    public func rendered(for terminal: Terminal) -> String {
        let widths = columnWidths()
        var text = ""
        for row in rows {
            switch row {
            case .line(let line, let style): text += terminal.styled(line, style)
            case .cells(let cells): append(cells, widths: widths, terminal: terminal, to: &text)
            }
            text += "\n"
        }
        return text
    }

    private func columnWidths() -> [Int] {
        var widths: [Int] = []
        for case .cells(let cells) in rows {
            for (column, cell) in cells.enumerated() {
                let width = Self.width(cell.text)
                if column == widths.count { widths.append(width) } else { widths[column] = max(widths[column], width) }
            }
        }
        return widths
    }

    private func append(_ cells: [Cell], widths: [Int], terminal: Terminal, to text: inout String) {
        var column = 0
        for (index, cell) in cells.enumerated() {
            let last = index == cells.count - 1
            var shown = cell.text
            if last, let columns = terminal.columns, column + Self.width(shown) > columns {
                shown = String(shown.prefix(max(columns - column - 1, 0))) + "…"
            }
            let padding = widths[index] - Self.width(shown)
            if rightAligned.contains(index) { Self.pad(&text, padding) }
            text += terminal.styled(shown, cell.style)
            if !last { Self.pad(&text, Self.gap + (rightAligned.contains(index) ? 0 : padding)) }
            column += widths[index] + Self.gap
        }
    }

    private static func pad(_ text: inout String, _ count: Int) {
        for _ in 0..<max(count, 0) { text += " " }
    }

    // Characters; for the usual text without accents that is its bytes, at a tenth of the cost.
    private static func width(_ text: String) -> Int {
        let bytes = text.utf8
        return bytes.allSatisfy { $0 < 0x80 } ? bytes.count : text.count
    }
}
