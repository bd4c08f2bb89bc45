/// Bytes of a terminal as keys: UTF-8, control characters, the escape sequences of ECMA-48 as xterm sends them, and
/// pastes between `ESC [ 200 ~` and `ESC [ 201 ~`. Sequences may come in any pieces; unknown ones are left out.
public struct KeyReader: Sendable {
    /// Longest paste in bytes that is kept.
    private let pasteLimit: Int
    private var pending: [UInt8] = []
    private var paste: Paste?

    private struct Paste: Sendable {
        var bytes: [UInt8] = []
        var isTooLong = false
    }

    private static let escape: UInt8 = 0x1B
    private static let pasteEnd = Array("\u{1B}[201~".utf8)
    /// Parameters of a sequence have at most so many bytes; what is longer is no key.
    private static let sequenceLimit = 32

    /// With that limit for one paste.
    public init(pasteLimit: Int) { self.pasteLimit = pasteLimit }

    /// The keys that these bytes complete.
    public mutating func read(_ bytes: some Sequence<UInt8>) -> [Keystroke] {
        pending += bytes
        var keys: [Keystroke] = []
        var rest = pending[...]
        while !rest.isEmpty {
            if paste != nil {
                guard let key = endOfPaste(&rest) else { break }
                keys.append(key)
                continue
            }
            switch Self.next(&rest) {
            case .key(let key): keys.append(key)
            case .nothing: break
            case .pasteBegins: paste = Paste()
            case .incomplete:
                pending = Array(rest)
                return keys
            }
        }
        pending = Array(rest)
        return keys
    }

    /// True when an escape came and nothing behind it: after a moment of silence it was the Escape key itself.
    public var isInSequence: Bool { !pending.isEmpty && paste == nil }

    /// Forgets a sequence that does not go on.
    public mutating func giveUpSequence() { if paste == nil { pending = [] } }

    private enum Step {
        case key(Keystroke)
        case nothing
        case pasteBegins
        case incomplete
    }

    /// Takes what belongs to the paste; nil while its end has not come.
    private mutating func endOfPaste(_ rest: inout ArraySlice<UInt8>) -> Keystroke? {
        var bytes = paste?.bytes ?? []
        // The end may have come in two pieces.
        let from = max(0, bytes.count - Self.pasteEnd.count)
        bytes += rest
        rest = []
        guard let end = Self.place(of: Self.pasteEnd, in: bytes[from...]) else {
            if bytes.count > pasteLimit + Self.pasteEnd.count {
                paste?.isTooLong = true
                bytes = Array(bytes.suffix(Self.pasteEnd.count))
            }
            paste?.bytes = bytes
            return nil
        }
        rest = bytes[(end + Self.pasteEnd.count)...]
        let isTooLong = paste?.isTooLong == true || end > pasteLimit
        paste = nil
        return isTooLong ? .tooLong : .paste(Self.text(bytes[..<end]))
    }

    /// Newlines as `\n`, however the terminal sends them.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var scalars = String.UnicodeScalarView()
        var wasReturn = false
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar != "\n" || !wasReturn { scalars.append(scalar == "\r" ? "\n" : scalar) }
            wasReturn = scalar == "\r"
        }
        return String(scalars)
    }

    private static func place(of needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (bytes.startIndex...bytes.endIndex - needle.count).first { bytes[$0...].starts(with: needle) }
    }

    private static func next(_ rest: inout ArraySlice<UInt8>) -> Step {
        guard let first = rest.first else { return .incomplete }
        if first == escape { return sequence(&rest) }
        if first < 0x20 || first == 0x7F {
            rest = rest.dropFirst()
            return control(first).map { .key($0) } ?? .nothing
        }
        // RFC 3629: the first byte tells the length.
        let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
        guard rest.count >= length else { return .incomplete }
        let character = String(decoding: rest.prefix(length), as: UTF8.self).first
        rest = rest.dropFirst(length)
        return character.map { .key(.character($0)) } ?? .nothing
    }

    private static func control(_ byte: UInt8) -> Keystroke? {
        switch byte {
        case 0x01: .home
        case 0x02: .left
        case 0x04: .endOfInput
        case 0x05: .end
        case 0x06: .right
        case 0x08, 0x7F: .backspace
        case 0x09: .character("\t")
        case 0x0A, 0x0D: .enter
        case 0x0B: .eraseToEnd
        case 0x0C: .redraw
        case 0x0E: .down
        case 0x10: .up
        case 0x15: .eraseToStart
        case 0x17: .eraseWord
        case _: nil
        }
    }

    /// ECMA-48 5.4: `ESC [`, parameters, one final byte; `ESC O` and one byte (SS3); or Alt and a key.
    private static func sequence(_ rest: inout ArraySlice<UInt8>) -> Step {
        guard let second = rest.dropFirst().first else { return .incomplete }
        guard second == UInt8(ascii: "[") || second == UInt8(ascii: "O") else {
            rest = rest.dropFirst(second == escape ? 1 : 2)
            return alt(second).map { .key($0) } ?? .nothing
        }
        let body = rest.dropFirst(2)
        guard let end = body.firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            guard body.count > sequenceLimit else { return .incomplete }
            rest = []
            return .nothing
        }
        let parameters = String(decoding: body[..<end], as: UTF8.self)
        let final = body[end]
        rest = rest[(end + 1)...]
        if final == UInt8(ascii: "~") {
            return parameters == "200" ? .pasteBegins : editing(parameters).map { .key($0) } ?? .nothing
        }
        return cursor(final, isModified: parameters.contains(";")).map { .key($0) } ?? .nothing
    }

    private static func alt(_ byte: UInt8) -> Keystroke? {
        switch byte {
        case 0x0A, 0x0D: .newline
        case 0x7F, 0x08: .eraseWord
        case UInt8(ascii: "b"): .wordLeft
        case UInt8(ascii: "f"): .wordRight
        case _: nil
        }
    }

    /// With Ctrl or Alt (`1;5D`) the arrows go by words.
    private static func cursor(_ final: UInt8, isModified: Bool) -> Keystroke? {
        switch final {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): isModified ? .wordRight : .right
        case UInt8(ascii: "D"): isModified ? .wordLeft : .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        case _: nil
        }
    }

    private static func editing(_ parameters: String) -> Keystroke? {
        switch parameters.prefix(while: { $0 != ";" }) {
        case "1", "7": .home
        case "4", "8": .end
        case "3": .delete
        case _: nil
        }
    }
}
