/// Reads the text of a `PathExpression`.
struct PathExpressionReader {
    /// Those that are read, the whole last.
    private(set) var parts: [PathExpression.Part] = []
    private let text: [Unicode.Scalar]
    private var place = 0
    private var isFolded = false

    private static let digits: [ClosedRange<UInt32>] = [range("0", "9")]
    /// What `\w` is.
    static let word = digits + [range("A", "Z"), range("a", "z"), range("_", "_")]
    private static let space = [range("\t", "\n"), range("\u{0C}", "\r"), range(" ", " ")]
    /// RE2 takes no more repetitions.
    private static let mostTimes = 1000

    init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

    private static func range(_ first: Unicode.Scalar, _ last: Unicode.Scalar) -> ClosedRange<UInt32> {
        first.value...last.value
    }

    /// False: it is not understood.
    mutating func readAll() -> Bool { choice() != nil && place == text.count }

    private var next: Unicode.Scalar? { place < text.count ? text[place] : nil }

    private mutating func take(_ word: String) -> Bool {
        guard text[place...].starts(with: word.unicodeScalars) else { return false }
        place += word.unicodeScalars.count
        return true
    }

    private mutating func add(_ part: PathExpression.Part) -> Int {
        parts.append(part)
        return parts.count - 1
    }

    private mutating func choice() -> Int? {
        var ways: [Int] = []
        repeat {
            guard let way = sequence() else { return nil }
            ways.append(way)
        } while take("|")
        return add(.choice(ways))
    }

    private mutating func sequence() -> Int? {
        var all: [Int] = []
        while let sign = next, sign != "|", sign != ")" {
            guard let one = atom(), let part = repeated(one) else { return nil }
            all.append(part)
        }
        return add(.sequence(all))
    }

    private mutating func atom() -> Int? {
        guard let sign = next else { return nil }
        place += 1
        switch sign {
        case "(": return group()
        case "[": return signs()
        case "\\": return escape()
        case ".": return add(.sign(.init(ranges: [Self.range("\n", "\n")], isNegated: true)))
        case "^": return add(.edge(.start))
        case "$": return add(.edge(.end))
        case "*", "+", "?": return nil
        case _: return add(.sign(.init(ranges: [Self.range(sign, sign)], isFolded: isFolded)))
        }
    }

    /// Behind `(`.
    private mutating func group() -> Int? {
        let former = isFolded
        if take("?") {
            if take("P<") || take("<") {
                while let sign = next, sign != ">", sign != ")" { place += 1 }
                guard take(">") else { return nil }
            } else {
                guard flags() else { return nil }
                // `(?i)` is for the rest of what it stands in.
                if take(")") { return add(.sequence([])) }
                guard take(":") else { return nil }
            }
        }
        let all = choice()
        isFolded = former
        return take(")") ? all : nil
    }

    /// Of those there are one alone changes what is found in a path, which is one line.
    private mutating func flags() -> Bool {
        var isOn = true
        while let sign = next, sign != ")", sign != ":" {
            switch sign {
            case "-": isOn = false
            case "i": isFolded = isOn
            case "s", "m", "U": break
            case _: return false
            }
            place += 1
        }
        return true
    }

    /// Behind `[`.
    private mutating func signs() -> Int? {
        var all = PathExpression.Signs(ranges: [], isNegated: take("^"), isFolded: isFolded)
        repeat {
            // A class in a class (`[[:alpha:]]`, `[\d-x]`) begins or ends no range.
            guard let sign = next, sign != "[" || text.dropFirst(place + 1).first != ":" else { return nil }
            place += 1
            if sign == "\\", let named = named() {
                all.ranges += named
                continue
            }
            guard let first = sign == "\\" ? escaped() : sign else { return nil }
            var last = first
            if next == "-", let end = text.dropFirst(place + 1).first, end != "]" {
                place += 2
                guard let sign = end == "\\" ? escaped() : end, sign >= first else { return nil }
                last = sign
            }
            all.ranges.append(Self.range(first, last))
        } while next != "]"
        return take("]") ? add(.sign(all)) : nil
    }

    /// Behind `\`.
    private mutating func escape() -> Int? {
        if let named = named() { return add(.sign(.init(ranges: named))) }
        switch next {
        case "b":
            place += 1
            return add(.edge(.word))
        case "B":
            place += 1
            return add(.edge(.noWord))
        case "A":
            place += 1
            return add(.edge(.start))
        case "z":
            place += 1
            return add(.edge(.end))
        case _:
            guard let sign = escaped() else { return nil }
            return add(.sign(.init(ranges: [Self.range(sign, sign)], isFolded: isFolded)))
        }
    }

    /// `\d` and the like; nil: it is none of them, and nothing was read.
    private mutating func named() -> [ClosedRange<UInt32>]? {
        guard let sign = next else { return nil }
        let ranges: [ClosedRange<UInt32>]
        switch sign {
        case "d", "D": ranges = Self.digits
        case "w", "W": ranges = Self.word
        case "s", "S": ranges = Self.space
        case _: return nil
        }
        place += 1
        return sign.properties.isUppercase ? Self.others(ranges) : ranges
    }

    /// Of ranges in their order.
    private static func others(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var (all, from) = ([ClosedRange<UInt32>](), UInt32(0))
        for range in ranges {
            if from < range.lowerBound { all.append(from...range.lowerBound - 1) }
            from = range.upperBound + 1
        }
        return all + [from...0x10FFFF]
    }

    /// One that stands for itself, or for what cannot be seen.
    private mutating func escaped() -> Unicode.Scalar? {
        guard let sign = next else { return nil }
        place += 1
        switch sign {
        case "t": return "\t"
        case "n": return "\n"
        case "r": return "\r"
        case "f": return "\u{0C}"
        case "v": return "\u{0B}"
        case "a": return "\u{07}"
        case "x": return hexadecimal()
        case _:
            let isWord = Self.word.contains { $0.contains(sign.value) }
            return sign.isASCII && (!isWord || sign == "_") ? sign : nil
        }
    }

    /// `\x2F`, `\x{2F}`
    private mutating func hexadecimal() -> Unicode.Scalar? {
        let isLong = take("{")
        let digits = text[place...].prefix { $0.properties.isASCIIHexDigit }.prefix(isLong ? 8 : 2)
        place += digits.count
        guard isLong ? take("}") : digits.count == 2 else { return nil }
        var word = String.UnicodeScalarView()
        word.append(contentsOf: digits)
        return UInt32(String(word), radix: 16).flatMap(Unicode.Scalar.init)
    }

    /// With what stands behind it: `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}`, each with a `?` that says which of the ways is taken first.
    private mutating func repeated(_ one: Int) -> Int? {
        let (least, most): (Int, Int?)
        if take("*") {
            (least, most) = (0, nil)
        } else if take("+") {
            (least, most) = (1, nil)
        } else if take("?") {
            (least, most) = (0, 1)
        } else if let times = times() {
            (least, most) = times
        } else {
            return one
        }
        _ = take("?")
        // RE2 takes no second one behind it, and no more than so many.
        if let sign = next, ["*", "+", "?"].contains(sign) { return nil }
        guard max(least, most ?? 0) <= Self.mostTimes, most.map({ $0 >= least }) ?? true else { return nil }
        return add(.times(one, least: least, most: most))
    }

    /// Nil: it is none, and what stands there stands for itself.
    private mutating func times() -> (Int, Int?)? {
        let start = place
        guard take("{"), let least = number() else {
            place = start
            return nil
        }
        var most: Int? = least
        if take(",") { most = next == "}" ? nil : number() ?? -1 }
        guard take("}"), most != -1 else {
            place = start
            return nil
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var word = ""
        while let sign = next, ("0"..."9").contains(sign) {
            word.unicodeScalars.append(sign)
            place += 1
        }
        return word.isEmpty ? nil : Int(word) ?? .max
    }
}
