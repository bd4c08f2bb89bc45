/// The regular expression that a rule has for paths, in RE2's syntax as far as it says something about a path
/// (github.com/google/re2/wiki/Syntax). It comes from a dashboard, and is matched as cloudflared does it, without a way back: for
/// each of its parts is written down from which place it leads to which, the inner ones first, so that the time is that of its
/// length, whatever it says. Swift's own may take for ever.
struct PathExpression: Hashable, Sendable {
    /// A longer one is not read, in characters.
    static let limit = 256
    /// A longer path is not looked at: places are bits of a word.
    static let pathLimit = 63

    /// A part; those in it stand before it, and are named by their place.
    enum Part: Hashable, Sendable {
        case sign(Signs)
        case edge(Edge)
        case sequence([Int])
        case choice([Int])
        case times(Int, least: Int, most: Int?)
    }

    /// What one character may be.
    struct Signs: Hashable, Sendable {
        var ranges: [ClosedRange<UInt32>]
        var isNegated = false
        /// In any case of its letters.
        var isFolded = false

        func contains(_ sign: Unicode.Scalar) -> Bool {
            let written = isFolded ? [sign.value, Self.otherCase(sign)] : [sign.value]
            return ranges.contains { range in written.contains { range.contains($0) } } != isNegated
        }

        private static func otherCase(_ sign: Unicode.Scalar) -> UInt32 {
            switch sign {
            case "a"..."z": sign.value - 32
            case "A"..."Z": sign.value + 32
            case _: sign.value
            }
        }
    }

    /// What is between two characters.
    enum Edge: Hashable, Sendable {
        case start, end, word, noWord
    }

    private let parts: [Part]

    /// Nil: RE2 does not take it, or it is of what is not read here.
    init?(_ pattern: String) {
        var reader = PathExpressionReader(pattern)
        guard pattern.unicodeScalars.count <= Self.limit, reader.readAll() else { return nil }
        parts = reader.parts
    }

    /// It matches some part of the path.
    func isFound(in path: String) -> Bool {
        let signs = Array(path.unicodeScalars)
        guard signs.count <= Self.pathLimit else { return false }
        // From each place, a set of places as bits.
        var leads: [[UInt64]] = []
        for part in parts { leads.append((0...signs.count).map { places(part, $0, signs, leads) }) }
        return leads.last.map { $0.contains { $0 != 0 } } ?? true
    }

    private func places(_ part: Part, _ place: Int, _ signs: [Unicode.Scalar], _ leads: [[UInt64]]) -> UInt64 {
        let here: UInt64 = 1 << UInt64(place)
        switch part {
        case .sign(let wanted): return place < signs.count && wanted.contains(signs[place]) ? here << 1 : 0
        case .edge(let edge): return Self.holds(edge, place, signs) ? here : 0
        case .sequence(let all): return all.reduce(here) { Self.step(leads[$1], $0) }
        case .choice(let all): return all.reduce(0) { $0 | leads[$1][place] }
        case .times(let inner, let least, let most): return Self.again(leads[inner], here, least, most)
        }
    }

    private static func step(_ leads: [UInt64], _ places: UInt64) -> UInt64 {
        leads.indices.reduce(0) { places >> UInt64($1) & 1 == 0 ? $0 : $0 | leads[$1] }
    }

    /// Both loops end within so many rounds as there are places: none leads back.
    private static func again(_ leads: [UInt64], _ here: UInt64, _ least: Int, _ most: Int?) -> UInt64 {
        var reached = here
        for _ in 0..<least {
            let next = step(leads, reached)
            if next == reached { break }
            reached = next
        }
        var (fresh, rounds) = (reached, most.map { $0 - least } ?? .max)
        while fresh != 0, rounds > 0 {
            fresh = step(leads, fresh) & ~reached
            (reached, rounds) = (reached | fresh, rounds - 1)
        }
        return reached
    }

    private static func holds(_ edge: Edge, _ place: Int, _ signs: [Unicode.Scalar]) -> Bool {
        func isWord(_ index: Int) -> Bool {
            signs.indices.contains(index) && PathExpressionReader.word.contains { $0.contains(signs[index].value) }
        }
        switch edge {
        case .start: return place == 0
        case .end: return place == signs.count
        case .word: return isWord(place - 1) != isWord(place)
        case .noWord: return isWord(place - 1) == isWord(place)
        }
    }
}
