/// What to do about a text that is no TOML. The parser says where it stumbled; this looks at the line for what was meant.
/// Mistakes that people make have words of their own, of others the parser's are passed on.
struct SyntaxAdvice {
    /// The line where the parser stumbled, without its end.
    let line: [Unicode.Scalar]
    /// What the parser says.
    let error: Mismatch
    /// What stands on that line, as far as it was understood.
    var item: LineLookup.Item? { found.item }
    let found: LineLookup

    init(_ text: [UInt8], _ error: Mismatch) {
        self.error = error
        var scanner = PositionScanner(text, line: error.position.line)
        _ = scanner.scan()
        found = scanner.lookup
        line = SyntaxAdvice.line(error.position.line, of: text)
    }

    /// The best that can be said.
    var mismatch: Mismatch {
        repetition ?? text ?? header ?? entry ?? list ?? value
            ?? say(error.position.column, "\(error.words); \(Self.forms)")
    }

    private static let forms =
        "a line is [child.NAME], or KEY = and \"text\", 5, true, [ … ] or { … } (https://toml.io says it all)"

    /// True when nothing but this line is wrong for what is known of it here, so that the rest can be read without it.
    var isConfined: Bool {
        guard let item, !item.isHeader, !isOtherFormat else { return false }
        return item.start.line == error.position.line && found.lastLine == item.start.line
    }

    // MARK: - The line

    /// Of the parser's place in the line, from 0.
    var index: Int { min(max(error.position.column - 1, 0), line.count) }

    /// What stands there; nil: the line is over.
    var here: Unicode.Scalar? { index < line.count ? line[index] : nil }

    func say(_ column: Int, _ words: String) -> Mismatch {
        Mismatch(Position(line: error.position.line, column: column), words)
    }

    /// A part of the line, without blanks around it.
    func words(_ range: Range<Int>) -> String { Self.trimmed(line[range]) }

    static func trimmed(_ part: some Collection<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: part.drop(while: isBlank))
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }

    static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }

    /// U+00A0.
    static func code(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func line(_ number: Int, of text: [UInt8]) -> [Unicode.Scalar] {
        var rest = text[...]
        for _ in 1..<max(number, 1) {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return [] }
            rest = rest[(end + 1)...]
        }
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }
        var scalars = Array(String(decoding: line, as: UTF8.self).unicodeScalars)
        if scalars.last == "\r" { scalars.removeLast() }
        // Not counted by the parser either.
        if number == 1, scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        return scalars
    }

    // MARK: - What is there twice

    private var repetition: Mismatch? {
        guard error.words.contains("cannot redefine") else { return nil }
        let all = found.repetitions
        let exact = all.first { $0.value == error.position } ?? all.first { $0.again == error.position }
        guard let known = exact ?? all.first else { return nil }
        let place = "at line \(known.first.line), column \(known.first.column)"
        let name = known.path.joined(separator: ".")
        if item?.isHeader ?? false {
            return say(
                error.position.column,
                "'\(name)' is there already, \(place): put the keys of both below one header, or take one out")
        }
        return Mismatch(known.again, "'\(name)' is set already, \(place): take one of the two out")
    }

    // MARK: - Strings

    private var text: Mismatch? {
        if error.words.contains("expected '\\n' after '\\r'") {
            return say(
                error.position.column,
                "a line ends with CR alone, as on old Macs: save the file with LF (or CR LF) at the ends of lines")
        }
        if error.words.contains("control characters") || error.words.contains("string: encountered end-of-file") {
            guard let scalar = here else { return openString }
            return say(
                index + 1,
                "the control character \(Self.code(scalar)) stands in a string: take it out, or write it as an escape in"
                    + " \"…\", such as \\u001B")
        }
        guard error.words.contains("escape") || error.words.contains("unicode scalar sequence") else { return nil }
        return say(
            error.position.column,
            "in \"…\" a backslash begins an escape, such as \\n, \\\" or \\u00E4, and this is none: write \\\\ for a backslash,"
                + " or put the text into '…', which knows no escapes")
    }

    private var openString: Mismatch? {
        guard let opening = found.openString else { return nil }
        let quote = String(repeating: String(opening.quote), count: opening.isLong ? 3 : 1)
        let rest = opening.isLong ? "" : " on this line (text over several lines stands in \"\"\" … \"\"\")"
        return Mismatch(opening.position, "this string is not closed: put \(quote) at its end\(rest)")
    }
}
