/// Text of OpenMetrics 1.0: families one after the other, each with its type, unit and help, all its samples together, and
/// `# EOF` at the end, which tells a reader that nothing was cut off.
public struct OpenMetrics {
    /// What a family is.
    public enum Kind: String, Sendable {
        case counter, gauge, histogram, info, stateset
    }

    /// What may stand beside a name.
    public struct Label: Hashable, Sendable {
        /// Name.
        public var name: String
        /// Any text.
        public var value: String

        /// Both.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    private var lines = ""

    /// Empty.
    public init() {}

    /// The whole exposition.
    public var text: String { lines + "# EOF\n" }

    /// Begins a family. A name that measures something ends in its unit: `…_seconds`, `…_bytes`.
    public mutating func family(_ name: String, _ kind: Kind, unit: String? = nil, help: String) {
        lines += "# TYPE \(name) \(kind.rawValue)\n"
        if let unit { lines += "# UNIT \(name) \(unit)\n" }
        lines += "# HELP \(name) \(Self.escaped(help))\n"
    }

    /// One sample; `name` with the suffix that its kind asks for (`_total`, `_bucket`, …).
    public mutating func sample(_ name: String, _ labels: [Label] = [], _ value: String) {
        lines += name
        if !labels.isEmpty {
            lines += "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
        }
        lines += " \(value)\n"
    }

    /// So many millionths, exactly: `1500000` is `1.5`.
    public static func millionths(_ count: Int64) -> String { decimal(count, 1_000_000, 6) }

    /// So many thousandths.
    public static func thousandths(_ count: Int64) -> String { decimal(count, 1000, 3) }

    private static func decimal(_ count: Int64, _ scale: Int64, _ digits: Int) -> String {
        let (whole, part) = count.magnitude.quotientAndRemainder(dividingBy: scale.magnitude)
        var rest = String(part)
        rest = String(repeating: "0", count: digits - rest.count) + rest
        while rest.last == "0" { rest.removeLast() }
        return (count < 0 ? "-" : "") + String(whole) + (rest.isEmpty ? "" : "." + rest)
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            case _: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
