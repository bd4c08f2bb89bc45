import TOMLKit

extension Table {
    /// Reads a document. A syntax error is reported (only the first: TOMLKit stops there) and gives nil, and so does an
    /// escaped NUL.
    init?(toml bytes: [UInt8], report: Report) {
        var scanner = PositionScanner(bytes)
        let marks = scanner.scan()
        if let fault = scanner.fault {
            // Up to here TOMLKit may read; it stops at an earlier error if there is one, else at the control character
            // that stands for the faulty value.
            let prefix = bytes.prefix(fault.prefix) + (fault.isValue ? [1] : [])
            let earlier = Table.error(in: Array(prefix)).flatMap { $0.position < fault.position ? $0 : nil }
            report.error(earlier?.position ?? fault.position, "syntax: " + (earlier?.words ?? fault.words))
            return nil
        }
        switch Table.parse(bytes) {
        case .success(let parsed):
            for position in scanner.escapedNULs {
                report.error(
                    position, "NUL (\\u0000) in a string; arguments and variables cannot hold one: leave it out")
            }
            guard scanner.escapedNULs.isEmpty else { return nil }
            self = Table.convert(parsed, marks)
        case .failure(let error):
            let better = scanner.openArray.flatMap { Table.mismatch($0, for: error) } ?? error
            report.error(better.position, "syntax: " + better.words)
            return nil
        }
    }

    /// The array as the cause, when the parser stumbled over what follows it. An earlier error is the parser's own.
    private static func mismatch(_ array: PositionScanner.OpenArray, for error: Mismatch) -> Mismatch? {
        guard let foreign = array.foreign else {
            guard error.words.contains("end-of-file") else { return nil }
            return Mismatch(array.position, "this array is not closed: ']' is missing, and the file ends")
        }
        guard error.position.line >= foreign.line else { return nil }
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
