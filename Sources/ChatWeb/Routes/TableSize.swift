/// How large the tables of a text come out at most. A header says how many cells each row has, and cmark-gfm fills rows up to
/// that without a bound (0.29.0.gfm.6, Debian 12's): 64 KiB of text name 36 million cells, which are gigabytes. And a row of
/// thousands of cells takes it seconds, which grow with their square.
enum TableSize {
    /// Of all tables of a text.
    static let limitCells = 65_536
    /// Of one row.
    static let limitColumns = 500

    /// Whether they keep within both. What may be the line below a header counts as one, wherever it stands, and each line
    /// after it as a row: more than there are, never less.
    static func isBounded(_ text: String) -> Bool {
        var cells = 0
        var columns = 0
        for line in text.utf8.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let look = Look(line)
            if look.bars > limitColumns { return false }
            if look.isRuler { columns = max(columns, look.bars + 1) }
            cells += columns
            if cells > limitCells { return false }
        }
        return true
    }

    /// What a line has of a table.
    private struct Look {
        var bars = 0
        /// It may be a table's second one: it has dashes, colons, bars, blanks, and the marks of what it stands in.
        var isRuler = false

        init(_ line: Substring.UTF8View.SubSequence) {
            var hasDash = false
            var hasOther = false
            for byte in line {
                switch byte {
                case UInt8(ascii: "|"): bars += 1
                case UInt8(ascii: "-"): hasDash = true
                case UInt8(ascii: ":"), UInt8(ascii: " "), UInt8(ascii: ">"), 0x09...0x0D: break
                case _: hasOther = true
                }
            }
            isRuler = hasDash && !hasOther
        }
    }
}
