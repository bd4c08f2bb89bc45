/// A file of environment variables, read strictly: `NAME=VALUE` a line, `#` begins a comment line, a value may stand in
/// 'single quotes' (as it is) or in "double quotes" (with \n \t \" \\ \$). Nothing is expanded and no shell is asked.
struct VariableFile {
    private(set) var variables: [(name: String, value: String)] = []

    /// Reads the text of `name`; every bad line is reported with its place in that file.
    init(_ bytes: [UInt8], name: String, report: Report) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            let trimmed = text.drop { $0 == " " || $0 == "\t" }
            if trimmed.isEmpty || trimmed.first == "#" || trimmed == "\r" { continue }
            let column = text.unicodeScalars.count - trimmed.unicodeScalars.count + 1
            do {
                variables.append(try VariableFile.parse(trimmed))
            } catch {
                report.error(in: name, Position(line: index + 1, column: column + error.offset), error.words)
            }
        }
    }

    private struct Problem: Error {
        /// Characters before it.
        let offset: Int
        let words: String
    }

    private static func parse(_ line: Substring) throws(Problem) -> (name: String, value: String) {
        guard let sign = line.firstIndex(of: "=") else {
            throw Problem(offset: 0, words: "no '='; every line is NAME=VALUE or begins with '#'")
        }
        let name = String(line[..<sign])
        guard Name.isVariable(name) else {
            let remedy = name.hasPrefix("export ") ? ": leave 'export' out, this is no shell script" : ""
            throw Problem(offset: 0, words: "'\(name)' is no name of a variable\(remedy)")
        }
        guard !Reserved.variables.contains(name) else {
            throw Problem(offset: 0, words: "'\(name)' is set by nexusd itself")
        }
        return (name, try value(of: line[line.index(after: sign)...], offset: name.unicodeScalars.count + 1))
    }

    private static func value(of text: Substring, offset: Int) throws(Problem) -> String {
        var rest = text
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        guard let quote = rest.first, quote == "'" || quote == "\"" else { return String(rest) }
        rest.removeFirst()
        var value = ""
        while let character = rest.popFirst() {
            if character == quote {
                guard rest.isEmpty else { throw Problem(offset: offset, words: "text after the closing quote") }
                return value
            }
            guard character == "\\", quote == "\"" else {
                value.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": value.append("\n")
            case "t": value.append("\t")
            case "\"": value.append("\"")
            case "\\": value.append("\\")
            case "$": value.append("$")
            case _: throw Problem(offset: offset, words: "unknown escape; known: \\n \\t \\\" \\\\ \\$")
            }
        }
        throw Problem(offset: offset, words: "the quote is not closed")
    }
}
