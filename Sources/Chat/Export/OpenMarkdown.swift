/// What a text of Markdown leaves open at its end, by CommonMark 0.31, and what closes it: all that stands behind it would else
/// be a part of that. An answer that was stopped inside of its code ends so.
///
/// What is open in a list or a quotation ends with that, by whatever is not indented or marked so.
struct OpenMarkdown {
    /// What is open.
    private enum Block {
        /// A fence of so many of these (4.5).
        case fence(Character, Int)
        /// HTML up to a line with one of these (4.6); other HTML ends at an empty line.
        case html([String])
    }

    private var block: Block?
    // The columns where the contents of the lists around it begin.
    private var lists: [Int] = []

    /// The text, and a line that closes what it leaves open.
    static func closed(_ text: String) -> String {
        var state = OpenMarkdown()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { state.take(line) }
        guard state.lists.isEmpty else { return text }
        switch state.block {
        case nil: return text
        case .fence(let mark, let count): return text + "\n" + String(repeating: mark, count: count)
        case .html(let ends): return text + "\n" + ends[0]
        }
    }

    private mutating func take(_ line: Substring) {
        let indent = line.prefix { $0 == " " }.count
        // An empty line ends no list.
        guard indent < line.count else { return }
        while let last = lists.last, indent < last {
            lists.removeLast()
            block = nil
        }
        var rest = line.dropFirst(lists.last ?? 0)
        if let block { return stay(in: block, rest) }
        while let content = Self.item(rest) {
            lists.append((lists.last ?? 0) + content)
            rest = rest.dropFirst(content)
        }
        begin(rest)
    }

    private mutating func stay(in block: Block, _ line: Substring) {
        switch block {
        case .fence(let mark, let count):
            guard let (found, length, info) = Self.fence(line), found == mark, length >= count, info.isEmpty else {
                return
            }
            self.block = nil
        case .html(let ends):
            let line = line.lowercased()
            if ends.contains(where: { line.contains($0) }) { self.block = nil }
        }
    }

    private mutating func begin(_ line: Substring) {
        if let (mark, count, info) = Self.fence(line), mark == "~" || !info.contains("`") {
            block = .fence(mark, count)
            return
        }
        guard line.prefix(while: { $0 == " " }).count < 4 else { return }
        let tag = line.drop { $0 == " " }.lowercased()
        guard let ends = Self.html(tag) else { return }
        // The beginning itself holds no end, but of a comment its own dashes may (`<!-->`).
        let rest = tag.dropFirst(2)
        if !ends.contains(where: { rest.contains($0) }) { block = .html(ends) }
    }

    private static func html(_ tag: String) -> [String]? {
        let raw = ["pre", "script", "style", "textarea"]
        let behind: [Character?] = [" ", "\t", ">", nil]
        let isRaw = raw.contains { name in
            tag.hasPrefix("<" + name) && behind.contains(tag.dropFirst(name.count + 1).first)
        }
        if isRaw { return raw.map { "</\($0)>" } }
        if tag.hasPrefix("<!--") { return ["-->"] }
        if tag.hasPrefix("<?") { return ["?>"] }
        if tag.hasPrefix("<![cdata[") { return ["]]>"] }
        if tag.hasPrefix("<!"), tag.dropFirst(2).first?.isLetter == true { return [">"] }
        return nil
    }

    /// The mark of a fence, how many there are, and what stands behind them.
    private static func fence(_ line: Substring) -> (Character, Int, Substring)? {
        let text = line.drop { $0 == " " }
        guard line.count - text.count < 4, let mark = text.first, mark == "`" || mark == "~" else { return nil }
        let marks = text.prefix { $0 == mark }.count
        guard marks >= 3 else { return nil }
        let info = text.dropFirst(marks).drop { $0.isWhitespace }
        return (mark, marks, info)
    }

    /// Characters up to the content of an item of a list that begins here (5.2); nil: none does.
    private static func item(_ line: Substring) -> Int? {
        let text = line.drop { $0 == " " }
        let indent = line.count - text.count
        guard indent < 4 else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }.count
        let marks: [Character] = digits == 0 ? ["-", "+", "*"] : [".", ")"]
        guard digits <= 9, let mark = text.dropFirst(digits).first, marks.contains(mark) else { return nil }
        let rest = text.dropFirst(digits + 1)
        let gap = rest.prefix { $0 == " " }.count
        guard gap > 0 || rest.isEmpty else { return nil }
        // With nothing behind it, or code, the content begins one column behind the mark.
        return indent + digits + 1 + (gap > 4 || gap == rest.count ? 1 : gap)
    }
}
