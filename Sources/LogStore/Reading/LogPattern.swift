import Glibc

/// What a line has to contain: a text, or a POSIX extended regular expression (regex(7)), as in grep(1).
///
/// Text is compared byte for byte. Without regard to case only the letters of ASCII are alike: a static program has one
/// locale. Back-references are refused: they alone make a search take more than linear time.
public struct LogPattern: Hashable, Sendable {
    /// Bytes of a pattern.
    public static let longest = 1024
    /// Bytes of a line that an expression is tried on.
    static let expressionWindow = 64 * 1024

    private let text: String
    private let isCaseless: Bool
    private let needle: [UInt8]
    private let expression: Expression?

    /// A text that has to be in the line.
    public init(text: String, caseless: Bool = false) {
        self.text = text
        isCaseless = caseless
        needle = caseless ? text.utf8.map(\.lowercased) : Array(text.utf8)
        expression = nil
    }

    /// An expression; `Refusal` says what is wrong with it.
    public init(expression text: String, caseless: Bool = false) throws(Refusal) {
        guard text.utf8.count <= LogPattern.longest else {
            throw Refusal(reason: "it is longer than \(LogPattern.longest) bytes")
        }
        if LogPattern.hasBackReference(text) { throw Refusal(reason: "back-references (\\1) are not taken") }
        self.text = text
        isCaseless = caseless
        needle = []
        expression = try Expression(text, caseless: caseless)
    }

    /// Why an expression is none.
    public struct Refusal: Error, Hashable, Sendable {
        /// In words.
        public let reason: String
    }

    /// The same pattern in the same mode.
    public static func == (left: LogPattern, right: LogPattern) -> Bool {
        left.text == right.text && left.isCaseless == right.isCaseless
            && (left.expression == nil) == (right.expression == nil)
    }

    /// By its text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// Whether the line contains it.
    func matches(_ line: [UInt8]) -> Bool {
        if let expression { return expression.matches(line.prefix(LogPattern.expressionWindow)) }
        let line = isCaseless ? line.map(\.lowercased) : line
        return needle.isEmpty || line.withUnsafeBytes { $0.offset(of: needle) != nil }
    }

    private static func hasBackReference(_ text: String) -> Bool {
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped, (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(byte) { return true }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return false
    }

    /// A compiled expression.
    private final class Expression: @unchecked Sendable {
        // Sendable although regexec(3) works on it: it is never changed after it was compiled.
        private var compiled = regex_t()

        init(_ text: String, caseless: Bool) throws(Refusal) {
            let flags = REG_EXTENDED | REG_NOSUB | (caseless ? REG_ICASE : 0)
            let result = regcomp(&compiled, text, flags)
            guard result != 0 else { return }
            var words = [CChar](repeating: 0, count: 256)
            regerror(result, &compiled, &words, words.count)
            throw Refusal(
                reason: String(decoding: words.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }

        deinit { regfree(&compiled) }

        func matches(_ line: ArraySlice<UInt8>) -> Bool {
            // The line's end is given (REG_STARTEND), for it may hold a NUL; one byte more, so that it is never empty.
            var bounds = regmatch_t(rm_so: 0, rm_eo: regoff_t(line.count))
            return (Array(line) + [0]).withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return false }
                return base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                    regexec(&compiled, $0, 1, &bounds, Expression.startEnd) == 0
                }
            }
        }

        /// REG_STARTEND, `1 << 2` in glibc's regex.h: a macro that Swift does not see.
        private static let startEnd: Int32 = 1 << 2
    }
}

extension UInt8 {
    fileprivate var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}
