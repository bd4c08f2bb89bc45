/// Why bytes are not a JSON document (RFC 8259).
public struct JSONError: Error, Hashable, Sendable {
    /// Byte at which reading stopped.
    public let offset: Int
    /// What is wrong there.
    public let problem: Problem

    /// In words; nothing of what stands there is among them.
    public enum Problem: String, Hashable, Sendable {
        case end = "it ends too early"
        case behind = "something stands behind its end"
        case value = "no value stands here that JSON knows"
        case name = "a name in quotes is missing"
        case colon = "a colon is missing behind a name"
        case memberEnd = "a comma or } is missing"
        case elementEnd = "a comma or ] is missing"
        case commaBeforeBrace = "a comma stands before }; take it away"
        case commaBeforeBracket = "a comma stands before ]; take it away"
        case control = "a control character, or the end of the line, within quotes"
        case escape = "a text with a \\ that JSON does not know"
        case encoding = "a text that is not UTF-8"
        case depth = "more than 64 brackets within each other"
    }
}

/// Reads one JSON document strictly: UTF-8, nothing after it, nested at most `depthLimit` deep.
public struct JSONParser {
    /// Arrays and objects inside each other, at most. The parser recurses, and the bytes come from another process.
    public static let depthLimit = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var offset = 0

    /// The document in `bytes`.
    public static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, JSONError> in
            var parser = JSONParser(bytes: buffer)
            return Result { () throws(JSONError) in try parser.document() }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw failure(.behind) }
        return value
    }

    private func failure(_ problem: JSONError.Problem) -> JSONError {
        JSONError(offset: offset, problem: next == nil ? .end : problem)
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= Self.depthLimit else { throw failure(.depth) }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case _: return try number()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<text.utf8CodeUnitCount {
            guard take(text.utf8Start[index]) else { throw failure(.value) }
        }
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        offset += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw failure(.elementEnd) }
            skipSpace()
            if next == UInt8(ascii: "]") { throw failure(.commaBeforeBracket) }
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        offset += 1
        var members: [JSONValue.Member] = []
        // Most objects of nexusd's answers have about twenty members: no growing in steps.
        members.reserveCapacity(20)
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else {
                throw failure(next == UInt8(ascii: "}") ? .commaBeforeBrace : .name)
            }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw failure(.colon) }
            members.append(.init(name, try value(depth: depth + 1)))
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw failure(.memberEnd) }
        }
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        _ = take(UInt8(ascii: "-"))
        let firstDigit = offset
        let digits = skipDigits()
        guard digits > 0, digits == 1 || bytes[firstDigit] != UInt8(ascii: "0") else { throw failure(.value) }
        var whole = true
        if take(UInt8(ascii: ".")) {
            whole = false
            guard skipDigits() > 0 else { throw failure(.value) }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            whole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw failure(.value) }
        }
        if whole, let integer = integer(from: firstDigit, digits: digits, negative: firstDigit > start) {
            return .integer(integer)
        }
        // Beyond the range of a Double it would be infinite, which JSON cannot say.
        guard let real = Double(try text(from: start, to: offset)), real.isFinite else {
            throw JSONError(offset: start, problem: .value)
        }
        return .real(real)
    }

    // By hand, without a string in between: a report of a thousand children has ten thousand numbers.
    private func integer(from start: Int, digits: Int, negative: Bool) -> Int64? {
        var value: Int64 = 0
        for index in start..<start + digits {
            let digit = Int64(bytes[index] - 0x30)
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(negative ? -digit : digit)
            if tooLarge || overflow { return nil }
            value = sum
        }
        return value
    }

    private func text(from start: Int, to end: Int) throws(JSONError) -> String {
        let part = UnsafeBufferPointer(rebasing: bytes[start..<end])
        // Plain ASCII needs no validation, which costs more than everything else about a short string.
        if part.allSatisfy({ $0 < 0x80 }) { return String(decoding: part, as: UTF8.self) }
        guard let text = String(validating: part, as: UTF8.self) else {
            throw JSONError(offset: start, problem: .encoding)
        }
        return text
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        while let byte = next, byte >= 0x30, byte <= 0x39 { offset += 1 }
        return offset - start
    }

    private mutating func string() throws(JSONError) -> String {
        offset += 1
        let start = offset
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { offset += 1 }
        // The common case: nothing escaped, so the text is the bytes as they are.
        if next == UInt8(ascii: "\"") {
            offset += 1
            return try text(from: start, to: offset - 1)
        }
        var scalars = Array(bytes[start..<offset])
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: scalars, as: UTF8.self) else {
                    throw JSONError(offset: start, problem: .encoding)
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &scalars)
            case 0..<0x20: throw JSONError(offset: offset - 1, problem: .control)
            case _: scalars.append(byte)
            }
        }
        throw failure(.end)
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw failure(.end) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try escapedScalar()).utf8)
        case _: throw JSONError(offset: offset - 1, problem: .escape)
        }
    }

    // RFC 8259, section 7: beyond the basic plane as a UTF-16 surrogate pair. A lone surrogate becomes U+FFFD.
    private mutating func escapedScalar() throws(JSONError) -> Character {
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        let after = offset
        if UTF16.isLeadSurrogate(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
            let second = try fourDigits()
            if UTF16.isTrailSurrogate(second) {
                let value = 0x10000 + ((UInt32(first) - 0xD800) << 10) + (UInt32(second) - 0xDC00)
                if let scalar = Unicode.Scalar(value) { return Character(scalar) }
            }
        }
        offset = after
        return "\u{FFFD}"
    }

    private mutating func fourDigits() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure(.escape)
            }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }
}
