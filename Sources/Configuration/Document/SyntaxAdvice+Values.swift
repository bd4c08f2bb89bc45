import Plan

/// Values, and what stands between them.
extension SyntaxAdvice {
    // MARK: - Lists and inline tables

    var list: Mismatch? {
        let saw = here.map(String.init) ?? "the end of the line"
        let isArray = error.words.contains("array: expected")
        guard isArray || error.words.contains("inline table: expected") else { return nil }
        let closing = isArray ? "]" : "}"
        if error.words.contains("dangling comma") { return say(index + 1, "no ',' stands before '}': take it out") }
        if here == "," { return say(index + 1, "a value is missing before this ',': take one ',' out") }
        if here == nil {
            return say(
                index + 1,
                "a table in { } ends on the line where it begins, and '}' is missing: write it on one line, or as a table of"
                    + " its own below a header, such as [child.NAME.delay]")
        }
        if let scalar = here, ")]}".unicodeScalars.contains(scalar) {
            return say(index + 1, "'\(closing)' must close this, found '\(saw)'")
        }
        if isBehindQuote, here != "\"", here != "'" { return quoteInside }
        return say(index + 1, "',' is missing before '\(saw)'")
    }

    private var isBehindQuote: Bool { index > 0 && (line[index - 1] == "\"" || line[index - 1] == "'") }

    private var quoteInside: Mismatch {
        let isDouble = line[index - 1] == "\""
        return say(
            index,
            "the string ends at this quote: "
                + (isDouble
                    ? "write \\\" for one that belongs to its text, or put the text into '…'"
                    : "put a text that holds it into \"…\""))
    }

    // MARK: - Values

    /// A value that is none, or what follows one.
    var value: Mismatch? {
        if error.words.contains("expected a comment or whitespace"), let found = behind { return found }
        let (range, key, isElement) = bare
        if range.isEmpty {
            guard error.words.contains("expected value") else { return nil }
            return say(index + 1, "'\(key)' has no value: write \(key) = \(example(key))")
        }
        let raw = words(range)
        if error.words.contains("not representable") {
            return say(range.lowerBound + 1, "the number is too large for 64 bits: write a smaller one")
        }
        let right = wanted(raw, key, isElement: isElement)
        let advice = "write \(isElement ? right : "\(key) = \(right)")"
        return say(
            range.lowerBound + 1, "\(reason(raw, key)): \(isNull(raw) ? "take the key out, for its default" : advice)")
    }

    /// Why it is no value.
    private func reason(_ raw: String, _ key: String) -> String {
        guard let first = raw.unicodeScalars.first else { return "" }
        if Self.quotes.contains(first) { return "'\(first)' is no quote here, only \" and ' are" }
        if first == "=" || first == ">" { return "one '=' joins a key and its value" }
        if first == "(" { return "a list stands in [ ]" }
        if isNull(raw) { return "there is no '\(raw)' in TOML" }
        if error.words.contains("leading zeroes") { return "a number has no zeros in front" }
        if raw.hasSuffix(";") { return "no ';' stands at the end of a line" }
        if Self.truth(raw) != nil, takes(key, "boolean") || Self.isTrueOrFalse(raw) {
            return "a flag is true or false, in small letters"
        }
        if takes(key, "boolean") { return "'\(key)' must be true or false" }
        if takes(key, "integer") { return "'\(key)' must be a whole number, in digits alone" }
        return "text stands in quotes"
    }

    /// What follows a value on its line.
    private var behind: Mismatch? {
        guard let scalar = here else { return nil }
        let rest = words(index..<line.count)
        if scalar == "," || scalar == ";" {
            if rest.unicodeScalars.count == 1 {
                return say(index + 1, "no '\(scalar)' stands at the end of a line: take it out")
            }
            return scalar == ";"
                ? nil : say(index + 1, "several values stand in brackets: write \(keyBefore(index)) = [ … ]")
        }
        if "]})".unicodeScalars.contains(scalar) {
            return say(index + 1, "nothing opens this '\(scalar)': take it out")
        }
        if rest.hasPrefix("//") { return say(index + 1, "a comment begins with '#'") }
        let word = rest.unicodeScalars.prefix { $0.properties.isAlphabetic || $0 == "-" || $0 == "_" }
        if !word.isEmpty, Self.trimmed(rest.unicodeScalars.dropFirst(word.count)).hasPrefix("=") {
            return say(index + 1, "a line has one key: put '\(String(word))' on a line of its own")
        }
        if isBehindQuote, word.count > 0 { return quoteInside }
        if scalar == "\"" || scalar == "'" || scalar == "+" {
            return say(
                index + 1, "a value is one string: make one of them, or a list in brackets: \(keyBefore(index)) = [ … ]"
            )
        }
        return nil
    }

    /// The value that stands at the place, which key it is of, and whether it is an element of a list.
    private var bare: (range: Range<Int>, key: String, isElement: Bool) {
        let isFollowed = error.words.contains("expected a comment or whitespace")
        var at = min(index, line.count)
        if at == line.count || isFollowed { at -= 1 }
        let delimiters: [Unicode.Scalar] = isFollowed ? ["="] : ["=", ",", "[", "{"]
        // The sign itself, where a second one follows it.
        if at >= 0, at < line.count, line[at] == "=", let before = line[..<at].lastIndex(where: { !Self.isBlank($0) }),
            line[before] == "="
        {
            at = before
        }
        let delimiter = at < 0 ? nil : line[...at].lastIndex { delimiters.contains($0) }
        let begin = delimiter.map { $0 + 1 } ?? 0
        let isTop = delimiter.map { line[$0] == "=" && !line[..<$0].contains { $0 == "{" || $0 == "[" } } ?? false
        let raw = line[begin...]
        let start = raw.firstIndex { !Self.isBlank($0) } ?? line.count
        var end = start
        while end < line.count, isTop ? !isComment(end) : !",]}#".unicodeScalars.contains(line[end]) { end += 1 }
        while end > start, Self.isBlank(line[end - 1]) { end -= 1 }
        let isElement = delimiter.map { line[$0] != "=" } ?? true
        return (start..<end, keyBefore(begin), isElement)
    }

    private func isComment(_ index: Int) -> Bool { line[index] == "#" && (index == 0 || Self.isBlank(line[index - 1])) }

    func value(from begin: Int) -> String {
        let end = line[begin...].indices.first(where: isComment) ?? line.count
        let open = line[..<begin].contains("{")
        let stop = open ? line[begin..<end].firstIndex { $0 == "}" || $0 == "," } ?? end : end
        return words(begin..<stop)
    }

    /// The key that the last `=` before this belongs to.
    private func keyBefore(_ index: Int) -> String {
        guard let equals = line[..<index].lastIndex(of: "=") else { return item?.keys.last ?? "KEY" }
        let isKey = { (scalar: Unicode.Scalar) in
            scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                || "-_.".unicodeScalars.contains(scalar)
        }
        let before = line[..<equals].reversed().drop(while: Self.isBlank).prefix(while: isKey)
        return before.isEmpty ? item?.keys.last ?? "KEY" : Self.trimmed(before.reversed())
    }

    // MARK: - What was meant

    private static let quotes = Set("“”„‟«»‘’‚‛`´＂".unicodeScalars)
    private static let yes = ["true", "yes", "on", "enabled"]
    private static let no = ["false", "no", "off", "disabled"]

    private static func truth(_ raw: String) -> String? {
        let word = raw.lowercased()
        return yes.contains(word) ? "true" : no.contains(word) ? "false" : nil
    }

    private static func isTrueOrFalse(_ raw: String) -> Bool { ["true", "false"].contains(raw.lowercased()) }

    /// Not `none`: that is a word of some keys.
    private func isNull(_ raw: String) -> Bool { ["null", "nil", "~", "undefined"].contains(raw) }

    /// True when every key of this name has values of this type.
    private func takes(_ key: String, _ type: String) -> Bool {
        let name = key.split(separator: ".").last.map(String.init) ?? key
        let keys = KeyReference.sections.flatMap(\.keys).filter { $0.name == name }
        return !keys.isEmpty && !isVariable && keys.allSatisfy { $0.type.hasPrefix(type) }
    }

    private func isOctal(_ key: String) -> Bool {
        KeyReference.sections.flatMap(\.keys).contains { info in
            guard info.name == key, case .form(let form) = info.shape else { return false }
            return form.pattern == TextForm.octal.pattern
        }
    }

    /// Of variables of an environment nothing is repeated: they may be secrets.
    var isVariable: Bool {
        found.header.contains("environment") || item?.keys.contains("environment") ?? false
            || words(0..<index).contains("environment")
    }

    /// The value as TOML has it.
    func wanted(_ raw: String, _ key: String, isElement: Bool) -> String {
        var text = raw
        while let first = text.unicodeScalars.first, first == "=" || first == ">" { text.unicodeScalars.removeFirst() }
        while text.hasSuffix(";") { text.removeLast() }
        text = Self.trimmed(text.unicodeScalars.filter { !Self.quotes.contains($0) })
        if text.hasPrefix("\"") || text.hasPrefix("'") || text.hasPrefix("[") || text.hasPrefix("{") {
            return isVariable ? "…" : Self.short(text)
        }
        if let truth = Self.truth(text), takes(key, "boolean") || Self.isTrueOrFalse(text) { return truth }
        if takes(key, "boolean") { return "true" }
        let digits = text.drop { $0 == "0" }
        if !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }), !takes(key, "string") {
            if text.count == digits.count || text == "0" { return text }
            return isOctal(key) || isElement ? "\"\(text)\"" : digits.isEmpty ? "0" : String(digits)
        }
        if takes(key, "integer") { return example(key) }
        if !isElement, takes(key, "array") { return listed(text) }
        return isVariable ? "\"…\"" : quoted(text)
    }

    private func listed(_ text: String) -> String {
        let inner = text.hasPrefix("(") ? String(text.drop { $0 == "(" }.prefix { $0 != ")" }) : text
        guard !inner.contains("\""), !inner.contains("'"), !isVariable else { return "[\"…\", \"…\"]" }
        let parts = inner.split { $0 == " " || $0 == "," }
        return Self.short("[" + parts.map { "\"\($0)\"" }.joined(separator: ", ") + "]")
    }

    private func quoted(_ text: String) -> String {
        let isPlain = !text.contains("\"") && !text.contains("\\")
        return text.contains("'") && !isPlain ? "\"…\"" : Self.short(isPlain ? "\"\(text)\"" : "'\(text)'")
    }

    private static func short(_ text: String) -> String { text.count <= 80 ? text : "\"…\"" }

    /// A value that the key could have.
    func example(_ key: String) -> String {
        takes(key, "boolean") ? "true" : takes(key, "integer") ? "5" : takes(key, "array") ? "[\"…\"]" : "\"…\""
    }
}
