/// Finds what a person may have meant: a key of Supervisor.toml, a child, a verb.
public enum Nearest {
    /// Names longer than this are not compared; ours have at most 32 characters.
    private static let lengthLimit = 64

    /// `; did you mean 'command'?`, or nothing when no candidate is close.
    public static func hint(for word: String, among candidates: [String]) -> String {
        name(for: word, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// As `hint`, or else the list of all candidates when it is short enough to help.
    public static func hintOrList(for word: String, among candidates: [String], of what: String) -> String {
        let hint = hint(for: word, among: candidates)
        if !hint.isEmpty { return hint }
        if candidates.isEmpty { return "; there is no \(what)" }
        if candidates.count > 8 { return "" }
        return "; known: " + candidates.joined(separator: ", ")
    }

    /// The closest candidate, the first of equals: one typing error is forgiven in a short word, two from five letters
    /// on, and a third of a long one.
    public static func name(for word: String, among candidates: [String]) -> String? {
        let typed = Array(word.lowercased().unicodeScalars.prefix(lengthLimit))
        let bound = typed.count < 5 ? 1 : max(2, typed.count / 3)
        var best: (distance: Int, name: String)?
        for candidate in candidates {
            let other = Array(candidate.lowercased().unicodeScalars.prefix(lengthLimit))
            guard abs(other.count - typed.count) <= bound else { continue }
            let distance = distance(typed, other)
            if distance <= bound, distance < other.count, distance < best?.distance ?? .max {
                best = (distance, candidate)
            }
        }
        return best?.name
    }

    /// Insertions, deletions, changes and swaps of neighbours (optimal string alignment).
    public static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
