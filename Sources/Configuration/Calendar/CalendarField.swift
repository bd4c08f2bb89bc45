/// One number of a calendar time: every one, or some.
struct CalendarField: Hashable {
    /// In ascending order; nil: every one.
    let values: [Int]?

    static let any = CalendarField(values: nil)

    init(values: [Int]?) { self.values = values }

    /// `*`, `*/N`, `A`, `A/N`, `A..B`, `A..B/N`, and lists of these with commas. Nil: it is none of these, or out of range.
    init?(_ text: Substring, _ range: ClosedRange<Int>) {
        if text == "*" {
            values = nil
            return
        }
        var values: Set<Int> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let some = Self.item(item, range) else { return nil }
            values.formUnion(some)
        }
        self.values = values.sorted()
    }

    private static func item(_ text: Substring, _ range: ClosedRange<Int>) -> [Int]? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return nil }
        let step = parts.count == 2 ? number(parts[1], 1...range.upperBound) : 1
        guard let step else { return nil }
        if parts[0] == "*" {
            return parts.count == 2 ? Array(stride(from: range.lowerBound, through: range.upperBound, by: step)) : nil
        }
        if let dots = parts[0].range(of: "..") {
            guard let first = number(parts[0][..<dots.lowerBound], range),
                let last = number(parts[0][dots.upperBound...], range), first <= last
            else { return nil }
            return Array(stride(from: first, through: last, by: step))
        }
        guard let first = number(parts[0], range) else { return nil }
        return parts.count == 2 ? Array(stride(from: first, through: range.upperBound, by: step)) : [first]
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) -> Int? {
        guard text.count <= 4, !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(text),
            range.contains(number)
        else { return nil }
        return number
    }

    func contains(_ number: Int) -> Bool { values?.contains(number) ?? true }

    /// All of it within a range.
    func all(in range: ClosedRange<Int>) -> [Int] { values ?? Array(range) }
}

extension Substring {
    fileprivate func range(of text: String) -> Range<Index>? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
