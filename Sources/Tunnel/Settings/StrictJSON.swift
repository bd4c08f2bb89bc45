import Foundation

/// The members of one JSON object, read as Go's encoding/json does (RFC 8259), by which cloudflared reads its secrets:
/// Foundation's reader lets a byte order mark pass, and a comma before the closing bracket.
struct StrictJSON {
    /// What a member holds, as far as it matters here.
    enum Value: Hashable {
        case text(String)
        case null
        case other
    }

    /// Where it is no JSON, and what is wrong there; both from 1, the column in bytes. Nothing of what stands there.
    struct Failure: Error {
        let line: Int
        let column: Int
        let words: String
    }

    /// Brackets within each other.
    static let depthLimit = 64

    private let bytes: [UInt8]
    private var place = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// In the order in which they stand, also those that stand there twice.
    static func members(of bytes: [UInt8]) throws(Failure) -> [(name: String, value: Value)] {
        var scanner = StrictJSON(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw scanner.failure("a byte order mark stands before it; save it without one")
        }
        scanner.skipSpace()
        guard scanner.next == UInt8(ascii: "{") else { throw scanner.failure("it does not begin with {") }
        var members: [(name: String, value: Value)] = []
        try scanner.object(depth: 1) { members.append(($0, $1)) }
        scanner.skipSpace()
        guard scanner.next == nil else { throw scanner.failure("something stands behind the closing }") }
        return members
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private func failure(_ words: String) -> Failure {
        let before = bytes[..<min(place, bytes.count)]
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return Failure(
            line: before.count { $0 == UInt8(ascii: "\n") } + 1, column: before.count - start + 1,
            words: next == nil ? "it ends too early" : words)
    }

    private mutating func skipSpace() {
        while let next, [0x20, 0x09, 0x0A, 0x0D].contains(next) { place += 1 }
    }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: wanted) else { return false }
        place += 1
        return true
    }

    private mutating func object(depth: Int, _ found: (String, Value) -> Void) throws(Failure) {
        try items(closedBy: "}") { scanner throws(Failure) in
            guard scanner.next == UInt8(ascii: "\"") else { throw scanner.failure("a name in quotes is missing") }
            let name = try scanner.string()
            scanner.skipSpace()
            guard scanner.take(":") else { throw scanner.failure("a colon is missing behind a name") }
            scanner.skipSpace()
            found(name, try scanner.value(depth: depth))
        }
    }

    /// From the opening bracket on: items with commas between them.
    private mutating func items(
        closedBy end: Unicode.Scalar, _ item: (inout StrictJSON) throws(Failure) -> Void
    ) throws(Failure) {
        place += 1
        skipSpace()
        if take(end) { return }
        while true {
            try item(&self)
            skipSpace()
            if take(end) { return }
            guard take(",") else { throw failure("a comma or \(end) is missing") }
            skipSpace()
            if next == UInt8(ascii: end) { throw failure("a comma stands before \(end); take it away") }
        }
    }

    private mutating func value(depth: Int) throws(Failure) -> Value {
        guard depth < Self.depthLimit else { throw failure("more than \(Self.depthLimit) brackets within each other") }
        switch next {
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "{"): try object(depth: depth + 1) { _, _ in }
        case UInt8(ascii: "["):
            try items(closedBy: "]") { scanner throws(Failure) in _ = try scanner.value(depth: depth + 1) }
        case _:
            let start = place
            while let next, next.isOfAWord { place += 1 }
            let word = String(decoding: bytes[start..<place], as: UTF8.self)
            if word == "null" { return .null }
            guard ["true", "false"].contains(word) || word.wholeMatch(of: Self.number) != nil else {
                place = start
                throw failure("no value stands here that JSON knows")
            }
        }
        return .other
    }

    private static var number: Regex<Substring> { /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]+)?/ }

    private mutating func string() throws(Failure) -> String {
        let start = place
        place += 1
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw failure("a control character, or the end of the line, within quotes") }
            place += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        guard take("\"") else { throw failure("") }
        guard let text = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<place])) else {
            place = start
            throw failure("a text with a \\ that JSON does not know")
        }
        return text
    }
}

extension UInt8 {
    fileprivate var isOfAWord: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        case _: false
        }
    }
}
