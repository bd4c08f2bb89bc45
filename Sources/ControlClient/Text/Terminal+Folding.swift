extension Terminal {
    /// A line folded between words, so that a terminal need not cut one in two; what follows the first line is indented by so
    /// many columns. One that fits, or that goes to a file or pipe, is as it was. No colours in it, and no newline.
    public func folded(_ line: String, indent: Int) -> String {
        guard let columns, columns > 2 * indent, line.count > columns else { return line }
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        // Spaces at the start belong to the first word, and several in a row stay as they are.
        var current = String(line.prefix { $0 == " " })
        var isEmpty = true
        for word in line.drop(while: { $0 == " " }).split(separator: " ", omittingEmptySubsequences: false) {
            if !isEmpty, current.count + 1 + word.count > columns {
                lines.append(current)
                current = margin + word
            } else {
                current += (isEmpty ? "" : " ") + word
            }
            isEmpty = false
        }
        return (lines + [current]).joined(separator: "\n")
    }
}
