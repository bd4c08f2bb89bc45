import CNexus

/// What the beginning of a line says about its level.
struct DetectedLevel {
    /// The level, or the stream's default.
    var level: LogLevel
    /// Bytes of a `<N>` prefix, which is not part of the text.
    var prefix: Int
}

/// Detection in the order of trust: a `<N>` prefix (sd-daemon(3)), a level field of a JSON line, then common words near
/// the beginning of the line. It looks at a bounded number of bytes whatever the line's length.
extension LogLevel {
    /// Bytes of a plain line that are looked at for words.
    static let wordWindow = 64
    /// Bytes of a JSON line that are looked at for its level field.
    static let jsonWindow = 512

    /// `line` has no newline; an empty one is `standard`.
    static func detect(_ line: UnsafeRawBufferPointer, standard: LogLevel) -> DetectedLevel {
        guard let first = line.first else { return DetectedLevel(level: standard, prefix: 0) }
        if first == UInt8(ascii: "<"), line.count >= 3, line[2] == UInt8(ascii: ">"),
            let level = LogLevel(rawValue: line[1] &- 0x30)
        {
            return DetectedLevel(level: level, prefix: 3)
        }
        if first == UInt8(ascii: "{") {
            let window = UnsafeRawBufferPointer(rebasing: line[..<min(line.count, jsonWindow)])
            return DetectedLevel(level: inJSON(window) ?? standard, prefix: 0)
        }
        let window = UnsafeRawBufferPointer(rebasing: line[..<min(line.count, wordWindow)])
        return DetectedLevel(level: inWords(window, isCut: line.count > wordWindow) ?? standard, prefix: 0)
    }

    /// A word counts where it stands alone and is in capitals, or follows `[` or `=` (`[warn]`, `level=error`), or begins
    /// the line and is followed by a colon (`error: …`). Prose ("no error") must not colour a line.
    private static func inWords(_ text: UnsafeRawBufferPointer, isCut: Bool) -> LogLevel? {
        if let level = word(at: 0, text, isCut, as: .first) { return level }
        var index = 0
        while index < text.count {
            // Eight bytes at once: most lines have hardly a capital or a mark, and this is done for every line.
            if text.count - index >= 8 {
                var found = text.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian.levelMarks
                while found != 0 {
                    let place = index + found.trailingZeroBitCount / 8
                    if let level = level(at: place, text, isCut) { return level }
                    found &= found - 1
                }
                index += 8
            } else {
                if let level = level(at: index, text, isCut) { return level }
                index += 1
            }
        }
        return nil
    }

    private static func level(at index: Int, _ text: UnsafeRawBufferPointer, _ isCut: Bool) -> LogLevel? {
        let byte = text[index]
        if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "=") {
            return word(at: index + 1, text, isCut, as: .marked)
        }
        guard byte.isCapital, index > 0, !text[index - 1].isWord else { return nil }
        return word(at: index, text, isCut, as: .capitals)
    }

    /// Where a word stands that may be a level.
    private enum Place {
        case first, marked, capitals
    }

    private static func word(at start: Int, _ text: UnsafeRawBufferPointer, _ isCut: Bool, as place: Place) -> LogLevel?
    {
        guard start < text.count, text[start].mayBeginLevel else { return nil }
        var end = start + 1
        while end < text.count, end - start < 10, text[end].isWord { end += 1 }
        guard end < text.count || !isCut else { return nil }
        let word = UnsafeRawBufferPointer(rebasing: text[start..<end])
        guard let level = LogLevel(word: word) else { return nil }
        switch place {
        case .marked: return level
        case .capitals: return word.allSatisfy(\.isCapital) ? level : nil
        case .first:
            let hasColon = end < text.count && text[end] == UInt8(ascii: ":")
            return hasColon || word.allSatisfy(\.isCapital) ? level : nil
        }
    }

    private static func inJSON(_ text: UnsafeRawBufferPointer) -> LogLevel? {
        for key in ["\"level\":", "\"severity\":", "\"lvl\":"] as [StaticString] {
            guard let base = text.baseAddress,
                let found = memmem(base, text.count, key.utf8Start, key.utf8CodeUnitCount)
            else { continue }
            var index = UnsafeRawPointer(found) - base + key.utf8CodeUnitCount
            while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
            guard index < text.count else { return nil }
            if text[index] == UInt8(ascii: "\"") {
                let start = index + 1
                var end = start
                while end < text.count, text[end].isWord { end += 1 }
                return LogLevel(word: UnsafeRawBufferPointer(rebasing: text[start..<end]))
            }
            var number = 0
            while index < text.count, text[index] >= 0x30, text[index] <= 0x39, number < 1000 {
                number = number * 10 + Int(text[index] - 0x30)
                index += 1
            }
            return index < text.count && index > 0 && text[index - 1].isWord ? LogLevel(number: number) : nil
        }
        return nil
    }
}

extension UInt8 {
    /// An ASCII letter, digit or underscore.
    fileprivate var isWord: Bool {
        let letter = (self | 0x20) &- 0x61
        return letter < 26 || self &- 0x30 < 10 || self == 0x5F
    }

    fileprivate var isCapital: Bool { self &- 0x41 < 26 }

    /// A letter with which a level's name begins (a c d e f i n p s t v w), in either case.
    fileprivate var mayBeginLevel: Bool {
        let letter = (self | 0x20) &- 0x61
        return letter < 26 && self & 0x40 != 0 && UInt32(0b00_0110_1100_1010_0001_0011_1101) >> UInt32(letter) & 1 == 1
    }
}

extension UInt64 {
    /// The high bit of each of the eight bytes that is a capital, `[` or `=`; found without looking at them one by one.
    fileprivate var levelMarks: UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = self & (ones * 0x7F)
        // Adding 0x80 - n to a byte below 0x80 sets its high bit if it is at least n. `[` comes right behind the capitals.
        let inRange = (low + ones * (0x80 - 0x41)) & ~(low + ones * (0x80 - 0x5C))
        let isEqualsSign = ~((low ^ ones * 0x3D) + ones * 0x7F)
        return (inRange | isEqualsSign) & ~self & (ones * 0x80)
    }
}
