extension PositionScanner {
    /// A string of any of the four kinds, decoded; the offset stands on its opening quote.
    mutating func string() -> String {
        guard let quote = peek() else { return "" }
        let opening = position
        let isLong = offset + 2 < bytes.count && bytes[offset + 1] == quote && bytes[offset + 2] == quote
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        var decoded: [UInt8] = []
        while let byte = peek() {
            if byte == quote, let width = closing(quote, isLong) {
                for _ in 0..<width { advance() }
                return String(decoding: decoded, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                escape(into: &decoded)
                continue
            }
            if byte == UInt8(ascii: "\n"), !isLong { break }
            decoded.append(byte)
            advance()
        }
        lookup.opens(LineLookup.OpenString(position: opening, quote: Unicode.Scalar(quote), isLong: isLong))
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
}
