import TOMLKit

extension Table {
    /// Reads a document. Syntax errors are reported and give nil, and so does an escaped NUL. TOMLKit stops at the first error;
    /// where that is in one line, and nothing else can be meant, the rest is read without it.
    init?(toml bytes: [UInt8], report: Report) {
        var text = bytes
        var wrong: [Mismatch] = []
        while wrong.count < Table.syntaxLimit {
            switch Table.read(text) {
            case .success(let table) where wrong.isEmpty:
                guard table.escapedNULs.isEmpty else {
                    for position in table.escapedNULs {
                        report.error(
                            position, "NUL (\\u0000) in a string; arguments and variables cannot hold one: leave it out"
                        )
                    }
                    return nil
                }
                self = Table.convert(table.parsed, table.marks)
                return
            case .success:
                Table.report(wrong, report)
                return nil
            case .failure(let failure):
                wrong.append(failure.shown)
                guard let line = failure.confinedTo else {
                    Table.report(wrong, report)
                    return nil
                }
                text = Table.blanking(line, in: text)
            }
        }
        Table.report(wrong, report)
        return nil
    }

    /// Syntax errors that are looked for; each costs a reading.
    private static let syntaxLimit = 10

    /// The last says that what is wrong beyond the syntax is not known yet.
    private static func report(_ wrong: [Mismatch], _ report: Report) {
        for (index, error) in wrong.enumerated() {
            let rest = index < wrong.count - 1 ? "" : "; what else may be wrong in the file is said when it can be read"
            report.error(error.position, "syntax: \(error.words)\(rest)")
        }
    }

    /// A text in which TOMLKit finds no error.
    private struct Readable {
        let parsed: TOMLTable
        let marks: Mark
        let escapedNULs: [Position]
    }

    /// A syntax error.
    private struct SyntaxFailure: Error {
        let shown: Mismatch
        /// The line without which the rest can be read; nil: who knows.
        let confinedTo: Int?
    }

    private static func read(_ bytes: [UInt8]) -> Result<Readable, SyntaxFailure> {
        var scanner = PositionScanner(bytes)
        let marks = scanner.scan()
        if let fault = scanner.fault {
            // Up to here TOMLKit may read; it stops at an earlier error if there is one, else at the control character
            // that stands for the faulty value.
            let prefix = bytes.prefix(fault.prefix) + (fault.isValue ? [1] : [])
            if let earlier = Table.error(in: Array(prefix)), earlier.position < fault.position {
                return .failure(failure(earlier, bytes))
            }
            return .failure(SyntaxFailure(shown: Mismatch(fault.position, fault.words), confinedTo: nil))
        }
        switch Table.parse(bytes) {
        case .success(let parsed):
            return .success(Readable(parsed: parsed, marks: marks, escapedNULs: scanner.escapedNULs))
        case .failure(let error):
            if let array = scanner.openArray.flatMap({ Table.mismatch($0, for: error) }) {
                return .failure(SyntaxFailure(shown: array, confinedTo: nil))
            }
            return .failure(failure(error, bytes))
        }
    }

    private static func failure(_ error: Mismatch, _ bytes: [UInt8]) -> SyntaxFailure {
        let advice = SyntaxAdvice(bytes, error)
        return SyntaxFailure(shown: advice.mismatch, confinedTo: advice.isConfined ? error.position.line : nil)
    }

    /// The same with blanks in place of a line, so that all that follows keeps its place.
    private static func blanking(_ line: Int, in text: [UInt8]) -> [UInt8] {
        var text = text
        var number = 1
        for index in text.indices {
            if text[index] == UInt8(ascii: "\n") {
                number += 1
                if number > line { break }
            } else if number == line {
                text[index] = UInt8(ascii: " ")
            }
        }
        return text
    }

    /// The array as the cause, when the parser stumbled over what follows it. An earlier error is the parser's own.
    private static func mismatch(_ array: PositionScanner.OpenArray, for error: Mismatch) -> Mismatch? {
        guard let foreign = array.foreign else {
            guard error.words.contains("end-of-file") else { return nil }
            return Mismatch(array.position, "this array is not closed: ']' is missing, and the file ends")
        }
        guard error.position.line >= foreign.line else { return nil }
        if foreign.line == array.position.line {
            return Mismatch(foreign, "a key with a value stands in { }, not in [ ]: write { NAME = \"value\" }")
        }
        return Mismatch(array.position, "this array is not closed: ']' is missing before line \(foreign.line)")
    }

    private static func error(in bytes: [UInt8]) -> Mismatch? {
        switch parse(bytes) {
        case .success: nil
        case .failure(let error): error
        }
    }

    private static func parse(_ bytes: [UInt8]) -> Result<TOMLTable, Mismatch> {
        do {
            return .success(try TOMLTable(string: String(decoding: bytes, as: UTF8.self)))
        } catch let error as TOMLParseError {
            let place = error.source.begin
            return .failure(Mismatch(Position(line: place.line, column: place.column), words(error.description)))
        } catch {
            return .failure(Mismatch(.start, "this is not TOML"))
        }
    }

    /// TOMLKit's sentence, on one line.
    private static func words(_ description: String) -> String {
        description.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func convert(_ table: TOMLTable, _ mark: Mark) -> Table {
        var entries: [Entry] = []
        for (key, value) in table {
            let below = mark.members[key] ?? Mark(mark.key, value: mark.value)
            entries.append(Entry(key: key, position: below.key, node: convert(value, below)))
        }
        // Stable for keys without a place of their own, which do not occur in a text that both readers understand.
        entries.sort { $0.position == $1.position ? $0.key < $1.key : $0.position < $1.position }
        return Table(position: mark.value, entries: entries)
    }

    private static func convert(_ value: any TOMLValueConvertible, _ mark: Mark) -> Node {
        Node(position: mark.value, value: content(value, mark), isOctal: mark.isOctal)
    }

    private static func content(_ value: any TOMLValueConvertible, _ mark: Mark) -> Node.Value {
        // Each of its properties asks for the type again, which is a fifth of the time that a large file takes.
        switch value.type {
        case .table: .table(convert(value.table ?? TOMLTable(), mark))
        case .array: .array(elements(value.array ?? [], mark))
        case .string: .string(value.string ?? "")
        case .bool: .boolean(value.bool ?? false)
        case .int: .integer(value.int ?? 0)
        case .double: .float
        case .date, .time, .dateTime: .time
        }
    }

    private static func elements(_ array: TOMLArray, _ mark: Mark) -> [Node] {
        array.enumerated().map { index, element in
            convert(element, index < mark.elements.count ? mark.elements[index] : mark)
        }
    }
}
