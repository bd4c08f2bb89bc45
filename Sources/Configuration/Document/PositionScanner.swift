/// Where a key, its value and what lies below it stand.
final class Mark {
    /// The key.
    let key: Position
    /// Its value; for a table made by a header, the key in that header.
    var value: Position
    /// Below a table, by key.
    var members: [String: Mark] = [:]
    /// Below an array.
    var elements: [Mark] = []
    /// It begins with `0o`.
    var isOctal = false

    init(_ key: Position, value: Position? = nil) {
        self.key = key
        self.value = value ?? key
    }

    /// The member, made when it is mentioned for the first time; arrays of tables stand for their last element.
    func member(_ name: String, at position: Position) -> Mark {
        if let known = members[name] { return known.elements.last ?? known }
        let mark = Mark(position)
        members[name] = mark
        return mark
    }
}

/// Walks through a TOML 1.0 text and notes where everything stands. Total: on a text that is no TOML it ends too, with
/// places that may be wrong from the first error on.
struct PositionScanner {
    let bytes: [UInt8]
    private(set) var offset = 0
    private(set) var position = Position.start
    /// `\u0000` in strings: TOMLKit hands strings out as C strings and would cut them off there.
    var escapedNULs: [Position] = []
    /// The first place where toml++, the parser below TOMLKit, would end the process by an assertion instead of
    /// reporting an error (seen in 3.4: a brace where an array's value should be, a header without a name, a date with
    /// no digit where its time should begin).
    private(set) var fault: Fault?
    /// The first array that something else follows than a value, `,` or `]`: what toml++ says of it points at that, be it
    /// many lines further down.
    private(set) var openArray: OpenArray?
    /// What a look at one line found.
    var lookup: LineLookup
    private var depth = 0
    /// Parts of keys on the way down to where the scanner is: those of the header and of every open inline table.
    private var partCount = 0
    /// Where the header or the entry of a header's table begins: before it everything is whole.
    private var itemStart = 0
    private var itemKeys: [String] = []

    /// A syntax error that must not reach TOMLKit.
    struct Fault {
        let position: Position
        let words: String
        /// Bytes before it that TOMLKit may read, to look for an earlier error.
        let prefix: Int
        /// True: the prefix ends where a value should stand.
        let isValue: Bool
    }

    /// An array without its end.
    struct OpenArray {
        /// Its `[`.
        let position: Position
        /// Where something else begins; nil: the text ends.
        let foreign: Position?
    }

    /// Deepest nesting of values, as in toml++ (TOML_MAX_NESTED_VALUES).
    private static let depthLimit = 256
    /// Most parts of keys from the root to a value. toml++ frees a table by recursion, a part each, and bounds none.
    static let partLimit = 64

    /// `line`: the one that is looked at more closely.
    init(_ text: [UInt8], line: Int? = nil) {
        bytes = text
        lookup = LineLookup(line: line)
        // TOMLKit skips a byte order mark without counting it.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    /// The marks of the whole text, or of that down to the line.
    mutating func scan() -> Mark {
        let root = Mark(.start)
        var table = root
        skip(blankLines: true)
        // What stands below the line that is looked at changes nothing about it.
        while let byte = peek(), position.line <= lookup.line ?? .max {
            itemStart = offset
            let start = position
            let isHeader = byte == UInt8(ascii: "[")
            if isHeader {
                table = header(in: root)
            } else {
                entry(in: table)
            }
            lookup.end(LineLookup.Item(start: start, isHeader: isHeader, keys: itemKeys), at: position)
            skip(blankLines: true)
        }
        return root
    }

    // MARK: - Parts of a document

    /// `[a.b]` or `[[a.b]]`: the table that the following entries belong to.
    private mutating func header(in root: Mark) -> Mark {
        let start = offset
        advance()
        let isArray = peek() == UInt8(ascii: "[")
        if isArray { advance() }
        skip(blankLines: false)
        if !beginsKey {
            note("a table header needs a name, such as [child.web], found \(found)", prefix: start, isValue: false)
        }
        partCount = 0
        let keys = keyPath()
        partCount = keys.count
        itemKeys = keys.map(\.name)
        while let byte = peek(), byte == UInt8(ascii: "]") { advance() }
        var table = root
        for key in keys.dropLast() { table = table.member(key.name, at: key.position) }
        guard let last = keys.last else { return table }
        if let known = table.members[last.name] { lookup.repeats(itemKeys, at: last.position, value: nil, known.key) }
        if isArray {
            let array = table.members[last.name] ?? Mark(last.position)
            table.members[last.name] = array
            let element = Mark(last.position)
            array.elements.append(element)
            return element
        }
        let named = table.member(last.name, at: last.position)
        named.value = last.position
        return named
    }

    /// `a.b = value`.
    private mutating func entry(in table: Mark) {
        let keys = keyPath()
        partCount += keys.count
        defer { partCount -= keys.count }
        if depth == 0 { itemKeys = keys.map(\.name) }
        skip(blankLines: false)
        if peek() == UInt8(ascii: "=") { advance() }
        skip(blankLines: false)
        var parent = table
        for key in keys.dropLast() {
            if let known = parent.members[key.name] {
                lookup.repeats([key.name], at: key.position, value: nil, known.key)
            }
            parent = parent.member(key.name, at: key.position)
        }
        let mark = Mark(keys.last?.position ?? position, value: position)
        if let last = keys.last, let known = parent.members[last.name] {
            lookup.repeats(keys.map(\.name), at: last.position, value: position, known.key)
        }
        value(into: mark)
        if let last = keys.last { parent.members[last.name] = mark }
    }

    /// `a . "b" . 'c'`; always takes at least one byte, so that every loop ends.
    private mutating func keyPath() -> [(name: String, position: Position)] {
        var keys: [(name: String, position: Position)] = []
        let start = offset
        while true {
            skip(blankLines: false)
            let place = position
            let isTooDeep = partCount + keys.count >= PositionScanner.partLimit
            if isTooDeep {
                note(
                    "a key with more than \(PositionScanner.partLimit) parts (those of the tables around it count): make it shorter",
                    prefix: itemStart, isValue: false)
            }
            let name: String
            switch peek() {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): name = string()
            case _:
                let begin = offset
                while let byte = peek(), PositionScanner.isBare(byte) { advance() }
                name = String(decoding: bytes[begin..<offset], as: UTF8.self)
            }
            if !isTooDeep { keys.append((name, place)) }
            skip(blankLines: false)
            guard peek() == UInt8(ascii: ".") else { break }
            advance()
        }
        if offset == start { advance() }
        return keys
    }

    private mutating func value(into mark: Mark) {
        depth += 1
        defer { depth -= 1 }
        // toml++ has reported this; here only the stack must not be exhausted.
        guard depth <= PositionScanner.depthLimit else { return advance() }
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = string()
        case UInt8(ascii: "["): array(into: mark)
        case UInt8(ascii: "{"):
            advance()
            skip(blankLines: true)
            while let byte = peek(), byte != UInt8(ascii: "}") {
                entry(in: mark)
                separator()
            }
            advance()
        case _:
            let start = offset
            mark.isOctal = peek() == UInt8(ascii: "0") && bytes[start...].starts(with: "0o".utf8)
            if let time = timeOfDate, !PositionScanner.isDigit(time) {
                note(
                    "a time such as 07:32:00 must follow a date and its 'T' or blank; put it in quotes if it is text",
                    prefix: offset, isValue: true)
            }
            while let byte = peek(), !PositionScanner.endsScalar(byte) { advance() }
            if offset == start, let byte = peek(), !PositionScanner.isClosing(byte) { advance() }
        }
    }

    /// The first byte of the time behind a date that stands here and its separator; nil: here is no date, or nothing
    /// but blanks is behind it.
    private var timeOfDate: UInt8? {
        guard let first = bytes[offset...].first, PositionScanner.isDigit(first) else { return nil }
        let rest = bytes[offset...].prefix { !PositionScanner.endsScalar($0) }
        let date = rest.prefix(10)
        let dash = UInt8(ascii: "-")
        guard date.count == 10,
            date.enumerated().allSatisfy({ [4, 7].contains($0) ? $1 == dash : PositionScanner.isDigit($1) })
        else { return nil }
        let behind = rest.dropFirst(10)
        guard let separator = behind.first, [UInt8]("Tt ".utf8).contains(separator),
            behind.dropFirst().contains(where: { !" \t\r".utf8.contains($0) })
        else { return nil }
        return behind.dropFirst().first
    }

    private mutating func array(into mark: Mark) {
        let opening = position
        advance()
        skip(blankLines: true)
        while let byte = peek(), byte != UInt8(ascii: "]") {
            let element = Mark(position)
            let start = offset
            if byte == UInt8(ascii: "}") {
                note(
                    "a value or ']' must stand here, found '}': write ']' where the list ends", prefix: offset,
                    isValue: true)
            }
            value(into: element)
            // No value has a sign of equality outside of quotes.
            if byte != UInt8(ascii: "\""), byte != UInt8(ascii: "'"), byte != UInt8(ascii: "{"),
                bytes[start..<offset].contains(UInt8(ascii: "="))
            {
                noteOpen(opening, element.value)
            }
            mark.elements.append(element)
            let line = position.line
            if !separator(), let next = peek(), position.line > line, next == UInt8(ascii: "[") || Self.isBare(next) {
                noteOpen(opening, position)
            }
            // A brace where a value should be: only in a text that TOMLKit would not have accepted.
            if offset == start { advance() }
        }
        if peek() == nil { noteOpen(opening, nil) }
        advance()
    }

    private mutating func noteOpen(_ opening: Position, _ foreign: Position?) {
        if openArray == nil { openArray = OpenArray(position: opening, foreign: foreign) }
    }

    /// True when there was a comma, or an end.
    @discardableResult
    private mutating func separator() -> Bool {
        skip(blankLines: true)
        let isComma = peek() == UInt8(ascii: ",")
        if isComma { advance() }
        let isOver = isComma || peek().map(Self.isClosing) ?? true
        skip(blankLines: true)
        return isOver
    }

    // MARK: - Bytes

    private mutating func note(_ words: String, prefix: Int, isValue: Bool) {
        guard fault == nil else { return }
        fault = Fault(position: position, words: words, prefix: prefix, isValue: isValue)
    }

    /// What stands here, for a message.
    private var found: String {
        guard let byte = bytes[offset...].first, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") else {
            return "the end of the line"
        }
        return "'" + (String(decoding: bytes[offset...].prefix(4), as: UTF8.self).first.map(String.init) ?? "") + "'"
    }

    private var beginsKey: Bool {
        guard let byte = bytes[offset...].first else { return false }
        return byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte < 0x80 && PositionScanner.isBare(byte)
    }

    /// Mutating, though it changes nothing: without an optimizer the others work on a copy of all that stands here, a byte each.
    mutating func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func advance() {
        guard offset < bytes.count else { return }
        let byte = bytes[offset]
        offset += 1
        if byte == UInt8(ascii: "\n") {
            position = Position(line: position.line + 1, column: 1)
        } else if byte & 0xC0 != 0x80 {
            // The bytes of a scalar after its first one count for nothing.
            position.column += 1
        }
    }

    /// Blanks and, where a value or a line may begin, newlines and comments.
    private mutating func skip(blankLines: Bool) {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): advance()
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                guard blankLines else { return }
                advance()
            case UInt8(ascii: "#"):
                guard blankLines else { return }
                while let byte = peek(), byte != UInt8(ascii: "\n") { advance() }
            case _: return
            }
        }
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        case _: byte >= 0x80
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "\n") || isClosing(byte)
    }

    private static func isClosing(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") }
}
