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
}
