import TOMLKit

extension Table {
    /// Reads a document. A syntax error is reported (TOMLKit stops at the first one) and gives nil, and so does an
    /// escaped NUL.
    init?(toml bytes: [UInt8], report: Report) {
        let parsed: TOMLTable
        do {
            parsed = try TOMLTable(string: String(decoding: bytes, as: UTF8.self))
        } catch let error as TOMLParseError {
            let place = error.source.begin
            report.error(Position(line: place.line, column: place.column), "syntax: " + Table.words(error.description))
            return nil
        } catch {
            report.error(.start, "syntax: this is not TOML")
            return nil
        }
        var scanner = PositionScanner(bytes)
        let marks = scanner.scan()
        for position in scanner.escapedNULs {
            report.error(position, "NUL (\\u0000) in a string; arguments and variables cannot hold one: leave it out")
        }
        guard scanner.escapedNULs.isEmpty else { return nil }
        self = Table.convert(parsed, marks)
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
        Node(position: mark.value, value: content(value, mark))
    }

    private static func content(_ value: any TOMLValueConvertible, _ mark: Mark) -> Node.Value {
        if let table = value.table { return .table(convert(table, mark)) }
        if let array = value.array {
            return .array(
                array.enumerated().map { index, element in
                    convert(element, index < mark.elements.count ? mark.elements[index] : mark)
                })
        }
        if let text = value.string { return .string(text) }
        if let flag = value.bool { return .boolean(flag) }
        if let number = value.int { return .integer(number) }
        return value.type == .double ? .float : .time
    }
}
