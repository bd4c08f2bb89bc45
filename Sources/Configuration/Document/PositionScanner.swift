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

/// Walks through a TOML 1.0 text that TOMLKit has accepted and notes where everything stands. Total: on any other text
/// it ends too, with places that may be wrong. Nesting is bounded by TOMLKit (256).
struct PositionScanner {
    private let bytes: [UInt8]
    private var offset = 0
    private var position = Position.start
    /// `\u0000` in strings: TOMLKit hands strings out as C strings and would cut them off there.
    private(set) var escapedNULs: [Position] = []

    init(_ text: [UInt8]) {
        bytes = text
        // TOMLKit skips a byte order mark without counting it.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    /// The marks of the whole text.
    mutating func scan() -> Mark {
        let root = Mark(.start)
        var table = root
        skip(blankLines: true)
        while let byte = peek() {
            if byte == UInt8(ascii: "[") {
                table = header(in: root)
            } else {
                entry(in: table)
            }
            skip(blankLines: true)
        }
        return root
    }

    // MARK: - Parts of a document

    /// `[a.b]` or `[[a.b]]`: the table that the following entries belong to.
    private mutating func header(in root: Mark) -> Mark {
        advance()
        let isArray = peek() == UInt8(ascii: "[")
        if isArray { advance() }
        let keys = keyPath()
        while let byte = peek(), byte == UInt8(ascii: "]") { advance() }
        var table = root
        for key in keys.dropLast() { table = table.member(key.name, at: key.position) }
        guard let last = keys.last else { return table }
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
        skip(blankLines: false)
        if peek() == UInt8(ascii: "=") { advance() }
        skip(blankLines: false)
        var parent = table
        for key in keys.dropLast() { parent = parent.member(key.name, at: key.position) }
        let mark = Mark(keys.last?.position ?? position, value: position)
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
            switch peek() {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): keys.append((string(), place))
            case _:
                let begin = offset
                while let byte = peek(), PositionScanner.isBare(byte) { advance() }
                keys.append((String(decoding: bytes[begin..<offset], as: UTF8.self), place))
            }
            skip(blankLines: false)
            guard peek() == UInt8(ascii: ".") else { break }
            advance()
        }
        if offset == start { advance() }
        return keys
    }

    private mutating func value(into mark: Mark) {
        switch peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = string()
        case UInt8(ascii: "["):
            advance()
            skip(blankLines: true)
            while let byte = peek(), byte != UInt8(ascii: "]") {
                let element = Mark(position)
                value(into: element)
                mark.elements.append(element)
                separator()
            }
            advance()
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
            while let byte = peek(), !PositionScanner.endsScalar(byte) { advance() }
            if offset == start, let byte = peek(), !PositionScanner.isClosing(byte) { advance() }
        }
    }

    private mutating func separator() {
        skip(blankLines: true)
        if peek() == UInt8(ascii: ",") { advance() }
        skip(blankLines: true)
    }

    // MARK: - Strings

    /// A string of any of the four kinds, decoded; the offset stands on its opening quote.
    private mutating func string() -> String {
        guard let quote = peek() else { return "" }
        let isLong = offset + 2 < bytes.count && bytes[offset + 1] == quote && bytes[offset + 2] == quote
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        var decoded: [UInt8] = []
        while let byte = peek() {
            if byte == quote, let width = closing(quote, isLong) {
                for _ in 0..<width { advance() }
                break
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                escape(into: &decoded)
                continue
            }
            if byte == UInt8(ascii: "\n"), !isLong { break }
            decoded.append(byte)
            advance()
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// How many quotes end the string here; nil: this one is text. Long strings may end in up to two quotes of text.
    private func closing(_ quote: UInt8, _ isLong: Bool) -> Int? {
        guard isLong else { return 1 }
        var count = 0
        while offset + count < bytes.count, bytes[offset + count] == quote, count < 5 { count += 1 }
        return count >= 3 ? count : nil
    }

    private mutating func escape(into decoded: inout [UInt8]) {
        let place = position
        advance()
        guard let byte = peek() else { return }
        advance()
        switch byte {
        case UInt8(ascii: "b"): decoded.append(8)
        case UInt8(ascii: "t"): decoded.append(9)
        case UInt8(ascii: "n"): decoded.append(10)
        case UInt8(ascii: "f"): decoded.append(12)
        case UInt8(ascii: "r"): decoded.append(13)
        case UInt8(ascii: "e"): decoded.append(27)
        case UInt8(ascii: "u"), UInt8(ascii: "U"), UInt8(ascii: "x"):
            let width = byte == UInt8(ascii: "U") ? 8 : byte == UInt8(ascii: "u") ? 4 : 2
            let digits = String(decoding: bytes[offset..<min(offset + width, bytes.count)], as: UTF8.self)
            for _ in digits.utf8 { advance() }
            let number = UInt32(digits, radix: 16) ?? 0xFFFD
            if number == 0 { escapedNULs.append(place) }
            decoded.append(contentsOf: String(Unicode.Scalar(number) ?? "\u{FFFD}").utf8)
        case _: decoded.append(byte)
        }
    }

    // MARK: - Bytes

    private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func advance() {
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

    private static func endsScalar(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: "\n") || isClosing(byte)
    }

    private static func isClosing(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") }
}
