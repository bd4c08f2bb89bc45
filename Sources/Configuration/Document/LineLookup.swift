/// What a scan found out about one line, for the words of a syntax error there.
struct LineLookup {
    /// nil: none is looked for.
    let line: Int?
    /// The header or entry that stands on the line, a header before all.
    private(set) var item: Item?
    /// The last line of that.
    private(set) var lastLine = 0
    /// Names of the header above.
    private(set) var header: [String] = []
    /// Keys and headers of the line that were there before.
    private(set) var repetitions: [Repetition] = []
    /// The first string of the text without its end.
    private(set) var openString: OpenString?

    /// A header, or an entry of a header's table, as far as it was understood.
    struct Item {
        let start: Position
        let isHeader: Bool
        /// The parts of its name.
        let keys: [String]
    }

    /// A name that is given again.
    struct Repetition {
        let path: [String]
        let again: Position
        /// Of an entry.
        let value: Position?
        let first: Position
    }

    /// A string without its end.
    struct OpenString {
        let position: Position
        let quote: Unicode.Scalar
        /// It began with three.
        let isLong: Bool
    }

    init(line: Int?) { self.line = line }

    /// The scanner has come to the end of an item.
    mutating func end(_ found: Item, at end: Position) {
        guard let line else { return }
        if found.isHeader, found.start.line < line { header = found.keys }
        // Where a value is missing, the end of the line was taken for it.
        let last = end.column == 1 && end.line > found.start.line ? end.line - 1 : end.line
        guard (found.start.line...last).contains(line), item == nil || found.isHeader else { return }
        (item, lastLine) = (found, last)
    }

    mutating func repeats(_ path: [String], at again: Position, value: Position?, _ first: Position) {
        guard again.line == line, repetitions.count < 64 else { return }
        repetitions.append(Repetition(path: path, again: again, value: value, first: first))
    }

    mutating func opens(_ string: OpenString) { if openString == nil { openString = string } }
}
