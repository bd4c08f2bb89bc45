/// Characters of others' text with which it could draw on a terminal, or turn the writing of what stands beside it.
public enum ControlText {
    /// Control characters, and the marks that turn the direction of writing.
    public static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
        case _: false
        }
    }

    /// The text with each of them as TOML writes it in a basic string (`\n`, `\u001B`): it shows what is there, and is what whoever
    /// wrote it finds in his file.
    public static func escaped(_ text: String, keepNewlines: Bool = false) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where keepNewlines: escaped += "\n"
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            case "\t": escaped += "\\t"
            case _ where isUnsafe(scalar):
                let digits = String(scalar.value, radix: 16, uppercase: true)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case _: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// JSON that somebody wrote, with each of them as `\u0000` is written: the same document, that draws on no terminal. What is below
    /// 0x20 stands between values only.
    public static func json(_ document: String) -> String {
        func isRaw(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= 0x20 && isUnsafe(scalar) }
        guard document.unicodeScalars.contains(where: isRaw) else { return document }
        var escaped = ""
        for scalar in document.unicodeScalars {
            if isRaw(scalar) { escaped += jsonEscape(scalar) } else { escaped.unicodeScalars.append(scalar) }
        }
        return escaped
    }

    /// `\u001b`.
    static func jsonEscape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// How many bytes such a character has that begins there; 0: none does.
    static func length(in utf8: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
        switch utf8[index] {
        case 0..<0x20, 0x7F: 1
        case 0xC2 where index + 1 < utf8.count && utf8[index + 1] < 0xA0: 2
        case 0xE2 where index + 2 < utf8.count:
            switch (utf8[index + 1], utf8[index + 2]) {
            case (0x80, 0xAA...0xAE), (0x81, 0xA6...0xA9): 3
            case _: 0
            }
        case _: 0
        }
    }
}
