/// cloudflared's version: year, month, number.
public struct ProgramVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    private let numbers: [Int]
    private let isHandBuilt: Bool

    /// The oldest that will do: 2025.4.0 is the first that reads a token from a file, and a command line is for everybody's
    /// eyes.
    public static let minimum = ProgramVersion(numbers: [2025, 4, 0], isHandBuilt: false)

    private init(numbers: [Int], isHandBuilt: Bool) {
        self.numbers = numbers
        self.isHandBuilt = isHandBuilt
    }

    /// From the output of `version --short`: `2026.8.2`, or `DEV` of one built by hand; nil for anything else, which is then
    /// not cloudflared.
    public init?(output: String) {
        let word = output.split(whereSeparator: \.isWhitespace)
        guard word.count == 1, let word = word.first else { return nil }
        if word == "DEV" {
            self.init(numbers: [], isHandBuilt: true)
            return
        }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4,
            parts.allSatisfy({ (1...4).contains($0.count) && $0.allSatisfy { $0.isASCII && $0.isNumber } })
        else { return nil }
        self.init(numbers: parts.compactMap { Int($0) }, isHandBuilt: false)
    }

    /// New enough; of one built by hand it is believed.
    public var isEnough: Bool { isHandBuilt || self >= Self.minimum }

    /// `2026.8.2` or `DEV`.
    public var description: String { isHandBuilt ? "DEV" : numbers.map(String.init).joined(separator: ".") }

    /// By age.
    public static func < (one: ProgramVersion, other: ProgramVersion) -> Bool {
        one.numbers.lexicographicallyPrecedes(other.numbers)
    }
}
