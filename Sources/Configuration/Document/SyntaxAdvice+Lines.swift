/// Headers, and the key of an entry.
extension SyntaxAdvice {
    // MARK: - Headers

    var header: Mismatch? {
        guard let item, item.isHeader, let start = line.firstIndex(where: { !Self.isBlank($0) }) else { return nil }
        let brackets = line[start...].prefix { $0 == "[" }.count
        let open = String(repeating: "[", count: min(brackets, 2))
        let close = String(repeating: "]", count: min(brackets, 2))
        let begin = start + brackets
        let end = line[begin...].firstIndex { $0 == "]" || $0 == "#" } ?? line.count
        let name = words(begin..<end)
        if let colon = name.firstIndex(of: ":") {
            let kind = String(name[..<colon]).lowercased()
            let rest = Self.trimmed(name[name.index(after: colon)...].unicodeScalars)
            let table =
                kind == "child" || TreeBuilder.likeChild.contains(kind) ? "child" : kind == "group" ? "group" : nil
            let right =
                table.map { "write [\($0).\(rest)]" } ?? "write [child.NAME] for a process, [group.NAME] for a group"
            return say(index + 1, "the parts of a header are joined by '.', not ':': \(right)")
        }
        if end == line.count || line[end] == "#" {
            return say(end + 1, "'\(close)' is missing at the end of this header: write \(open)\(name)\(close)")
        }
        if name.contains("..") || name.hasSuffix(".") {
            return say(index + 1, "a name is missing beside a dot of this header: write it, as in [child.web]")
        }
        if name.contains(where: \.isWhitespace), !name.contains("\""), !name.contains("'") {
            let joined = name.split(whereSeparator: \.isWhitespace).joined(separator: ".")
            return say(
                index + 1, "a header has no blanks in a name: write \(open)\(joined)\(close) if these are its parts")
        }
        return tail(end, brackets, "\(open)\(name)\(close)")
    }

    /// What follows the first `]`.
    private func tail(_ end: Int, _ brackets: Int, _ right: String) -> Mismatch? {
        let closing = line[end...].prefix { $0 == "]" }.count
        if closing != brackets {
            return say(end + 1, "this header has \(brackets) '[' and \(closing) ']': write \(right)")
        }
        guard !words((end + closing)..<line.count).isEmpty else { return nil }
        return say(index + 1, "a header stands alone on its line: put what follows it on the next one")
    }

    // MARK: - Keys

    /// The first line of JSON or YAML: there is no use in going on.
    var isOtherFormat: Bool {
        let text = words(0..<line.count)
        return text.hasPrefix("{") || text.hasSuffix(":") || text.hasPrefix("- ") || text.hasPrefix("<")
    }

    private var otherFormat: Mismatch {
        say(
            index + 1,
            "this is no TOML: a table begins with its header on a line, such as [child.web], and its keys follow, a line"
                + " each: command = [\"PROGRAM\", \"ARGUMENT\"]")
    }

    /// Where a key, or the `=` behind it, should be.
    var entry: Mismatch? {
        if let scalar = here, error.words.contains("expected space or tab") {
            return say(
                index + 1,
                "the character \(Self.code(scalar)) looks like a blank, or like nothing, and is neither (copied from a web"
                    + " page?): put a space there, or take it out")
        }
        if error.words.contains("expected '='") { return joint }
        if error.words.contains("root table: expected keys") || error.words.contains("key: expected") {
            return beginning
        }
        return nil
    }

    /// A line that begins with something else than a key.
    private var beginning: Mismatch? {
        guard let scalar = here else { return nil }
        switch scalar {
        case ";", "/": return say(index + 1, "a comment begins with '#'")
        case "{", "<", "-": return otherFormat
        case "=": return say(index + 1, "a key is missing before '='")
        case _:
            guard scalar.value >= 0x80 else { return nil }
            return say(
                index + 1,
                "the character \(Self.code(scalar)) stands where a key begins; keys have a to z and -: type it anew")
        }
    }

    /// A key without `=` behind it.
    private var joint: Mismatch? {
        let begin = line[..<index].lastIndex { $0 == "{" || $0 == "," }.map { $0 + 1 } ?? 0
        let key = words(begin..<index)
        if isOtherFormat { return otherFormat }
        if key.hasPrefix("//") || key.hasPrefix("--") { return say(begin + 1, "a comment begins with '#'") }
        guard let scalar = here, scalar != "}", scalar != "," else {
            let comment = begin == 0 ? ", or '#' before it for a comment" : ""
            return say(index + 1, "'\(key)' has no value: write \(key) = \(example(key))\(comment)")
        }
        let rest = value(from: index)
        if scalar == ":" {
            if index + 1 < line.count, line[index + 1] == "=" { return say(index + 1, "write '=' for ':='") }
            let right = wanted(value(from: index + 1), key, isElement: false)
            return say(index + 1, "a key and its value are joined by '=', not by ':': write \(key) = \(right)")
        }
        if let equals = line[index...].firstIndex(of: "="), begin == 0 {
            let all = isVariable ? "" : ", and this one is '\(words(begin..<equals))'"
            return say(
                index + 1,
                "a key has no blanks\(all): write it with '-', or take out what does not belong to it; 'nexus-config keys'"
                    + " lists all")
        }
        return say(
            index + 1,
            "'=' is missing behind '\(key)': write \(key) = \(wanted(rest, key, isElement: false)), or '#' before it for a"
                + " comment")
    }
}
