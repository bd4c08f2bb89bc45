/// A long text in pieces that fit into messages. While the text grows the pieces before the last stay as they are, so
/// that only one message changes.
public enum AnswerPages {
    /// UTF-16 code units of a message (Bot API, sendMessage: 4096 characters, counted as such).
    public static let limit = 4096
    /// Messages for one answer; what is beyond is on the page.
    public static let pageLimit = 20

    private static let rest = "\n… the rest is on the page."

    /// The pieces, in order; an empty text has none.
    public static func of(_ text: String, limit: Int = AnswerPages.limit) -> [String] {
        var pages: [String] = []
        var left = text[...]
        while !left.isEmpty {
            let end = end(of: left, limit)
            let page = trimmed(left[..<end])
            if pages.count == pageLimit - 1, end < left.endIndex {
                pages.append(String(page.prefix(page.count - min(page.count, rest.count))) + rest)
                return pages
            }
            // A message of white space alone is refused.
            if !page.isEmpty { pages.append(page) }
            left = left[end...]
        }
        return pages
    }

    /// Where the first piece ends: everything, or behind the last line break, or space, of its second half, or where it is
    /// full; never inside a character.
    private static func end(of text: Substring, _ limit: Int) -> Substring.Index {
        var units = 0
        var full = text.startIndex
        var line: Substring.Index?
        var space: Substring.Index?
        for index in text.indices {
            let character = text[index]
            units += character.utf16.count
            let next = text.index(after: index)
            if units > limit {
                // One character that is longer than a message has to be cut by scalars: it makes a piece of its own.
                return full == text.startIndex ? next : line ?? space ?? full
            }
            full = next
            guard units > limit / 2 else { continue }
            if character.isNewline { line = next } else if character == " " { space = next }
        }
        return text.endIndex
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.last?.isWhitespace == true { text.removeLast() }
        while text.first?.isNewline == true { text.removeFirst() }
        return String(text)
    }
}
