/// Rows of cells in aligned columns. Widths count characters; the last column is cut at the terminal's edge, and before it
/// becomes too narrow to be read, one other, in the rows alone that are too long.
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
    private let yielding: Yielding?
    /// A last column that is too long goes on in the next line, between words, instead of being cut.
    private let foldsLast: Bool
    private var rows: [Row] = []
    private static let gap = 2

    /// A column that gives way to the last one.
    public struct Yielding {
        /// Its place.
        var column: Int
        /// The last column has at least so many characters, as far as it needs them.
        var last: Int
        /// What this one keeps in any case.
        static let least = 8
    }

    /// An empty table.
    public init(rightAligned: [Int] = [], yielding: Yielding? = nil, foldsLast: Bool = false) {
        self.foldsLast = foldsLast
        self.rightAligned = rightAligned
        self.yielding = yielding
    }

    /// A row of cells.
    public mutating func append(_ cells: [Cell]) { rows.append(.cells(cells)) }

    /// A line of its own across all columns.
    public mutating func append(line: String, _ style: Terminal.Style = .plain) { rows.append(.line(line, style)) }

    /// All rows, each ending in a newline.
    public func rendered(for terminal: Terminal) -> String {
        let widths = columnWidths(on: terminal)
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

    private func columnWidths(on terminal: Terminal) -> [Int] {
        var widths: [Int] = []
        for case .cells(let cells) in rows {
            for (column, cell) in cells.enumerated() {
                let width = Self.width(cell.text)
                if column == widths.count { widths.append(width) } else { widths[column] = max(widths[column], width) }
            }
        }
        guard let yielding, let columns = terminal.columns, let last = widths.last, widths.count > yielding.column + 1
        else { return widths }
        let whole = widths.dropLast().reduce(0) { $0 + $1 + Self.gap } + min(last, yielding.last)
        if whole > columns {
            let narrow = widths[yielding.column] - (whole - columns)
            widths[yielding.column] = max(narrow, min(widths[yielding.column], Yielding.least))
        }
        return widths
    }

    private func append(_ cells: [Cell], widths: [Int], terminal: Terminal, to text: inout String) {
        var column = 0
        for (index, cell) in cells.enumerated() {
            let last = index == cells.count - 1
            var shown = cell.text
            let room = last ? terminal.columns.map { max($0 - column, 1) } : widths[index]
            if last, foldsLast {
                let margin = String(repeating: " ", count: column)
                shown = String(terminal.folded(margin + shown, indent: column).dropFirst(column))
            } else if let room, Self.width(shown) > room {
                shown = String(shown.prefix(room - 1)) + "…"
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
