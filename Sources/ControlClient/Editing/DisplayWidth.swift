/// Columns that text takes on a terminal.
enum DisplayWidth {
    /// Of a text in one row.
    static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

    /// Of a character with what combines with it: 0, 1 or 2. A newline takes none.
    static func of(_ character: Character) -> Int {
        guard character != "\n", let first = character.unicodeScalars.first else { return 0 }
        if character.unicodeScalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        case _: return isWide(first) ? 2 : 1
        }
    }

    /// East Asian Wide and Fullwidth of Unicode's EastAsianWidth.txt, in blocks, and pictures.
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x1F1E6...0x1F1FF, 0x20000...0x3FFFD:
            true
        case _: scalar.properties.isEmojiPresentation
        }
    }
}
