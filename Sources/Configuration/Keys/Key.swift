import Plan
import SupervisorCore

/// One key of Supervisor.toml: its description and the reading of its value are one thing, so that the reference cannot
/// say what the parser does not do.
struct Key<Value: Sendable>: Sendable {
    let info: KeyInfo
    /// The value when the key is absent.
    let initial: Value
    /// Checks and converts.
    let read: @Sendable (Node) throws(Mismatch) -> Value

    init(
        _ name: String, type: String, shape: KeyShape, initial: Value, shown: String = "", range: String = "",
        _ summary: String,
        read: @escaping @Sendable (Node) throws(Mismatch) -> Value
    ) {
        info = KeyInfo(name: name, type: type, shape: shape, initial: shown, range: range, summary: summary)
        self.initial = initial
        self.read = read
    }
}

/// Why a value was refused; the words follow the key's name: `must be …`.
struct Mismatch: Error {
    let position: Position
    let words: String
    /// What else is wrong with the same value: further elements of a list.
    var others: [Mismatch] = []

    init(_ position: Position, _ words: String) {
        self.position = position
        self.words = words
    }

    /// A value of another type.
    static func kind(_ expected: String, _ node: Node) -> Mismatch {
        Mismatch(node.position, "must be \(expected), found \(node.kind)")
    }

    /// A number where a text is wanted that may be the number's digits.
    static func noText(_ number: Int, _ expected: String, hold: Bool = false, _ node: Node) -> Mismatch {
        Mismatch(
            node.position, "must \(hold ? "hold" : "be") \(expected): write \"\(number)\", found the integer \(number)")
    }

    /// A text that is no size; what other programs mean by one letter has two here.
    static func noSize(_ text: String, _ node: Node) -> Mismatch {
        let hint = SizeText.parse(text + "B") == nil ? "" : "; did you mean \"\(text)B\"?"
        return Mismatch(node.position, "must be \(SizeText.form), found \"\(text)\"\(hint)")
    }

    /// A value outside of its range.
    static func range(_ range: String, found: String, _ node: Node) -> Mismatch {
        Mismatch(node.position, "must be \(range), found \(found)")
    }
}

extension Node {
    func text() throws(Mismatch) -> String {
        guard case .string(let text) = value else { throw .kind("a string", self) }
        return text
    }

    /// A user or a group: its number is a text too.
    func person() throws(Mismatch) -> String {
        if case .integer(let number) = value { throw .noText(number, "a name, or a number in quotes", self) }
        return try text()
    }

    func number() throws(Mismatch) -> Int {
        guard case .integer(let number) = value else { throw .kind("an integer", self) }
        return number
    }

    func flag() throws(Mismatch) -> Bool {
        guard case .boolean(let flag) = value else { throw .kind("true or false", self) }
        return flag
    }

    func list(of what: String) throws(Mismatch) -> [Node] {
        guard case .array(let list) = value else {
            guard let form = arrayForm(of: what) else { throw .kind("an array of \(what)", self) }
            throw .kind("an array of \(what): write \(form)", self)
        }
        return list
    }

    /// The text that stands in the place of a list, as a list; the words of a command by themselves.
    private func arrayForm(of what: String) -> String? {
        guard case .string(let text) = value, !text.isEmpty, text.count <= 80, !what.hasPrefix("tables"),
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        else { return nil }
        let elements = what == "strings" && !text.contains("'") ? text.split(separator: " ") : [text[...]]
        return "[" + elements.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    }

    func table(_ form: String) throws(Mismatch) -> Table {
        guard case .table(let table) = value else { throw .kind("a table such as \(form)", self) }
        return table
    }

    /// What a list holds. All elements that are wrong are told at once, each with its place.
    func each<Value>(
        of what: String, _ read: (Node) throws(Mismatch) -> Value
    ) throws(Mismatch) -> [Value] {
        var values: [Value] = []
        var wrong: [Mismatch] = []
        for element in try list(of: what) {
            do throws(Mismatch) {
                values.append(try read(element))
            } catch {
                wrong.append(error)
            }
        }
        guard var first = wrong.first else { return values }
        first.others = Array(wrong.dropFirst())
        throw first
    }

    func texts(of what: String) throws(Mismatch) -> [Placed<String>] {
        try each(of: what) { element throws(Mismatch) in
            switch element.value {
            case .string(let text): return Placed(value: text, position: element.position)
            case .integer(let number): throw .noText(number, "strings only", hold: true, element)
            case .float, .boolean, .time, .array, .table:
                throw Mismatch(element.position, "must hold strings only, found \(element.kind)")
            }
        }
    }

    /// `or`: a word that may stand there too.
    func duration(_ range: ClosedRange<Duration>, or word: String? = nil) throws(Mismatch) -> Duration {
        let form = (word.map { "\"\($0)\" or " } ?? "") + DurationText.form
        guard case .string(let text) = value else { throw .kind(form, self) }
        guard let duration = DurationText.parse(text) else {
            throw Mismatch(position, "must be \(form), found \"\(text)\"")
        }
        guard range.contains(duration) else { throw .range(Shown.range(range), found: text, self) }
        return duration
    }
}

/// Values and ranges in words.
enum Shown {
    static func range(_ range: ClosedRange<Duration>) -> String {
        "\(DurationText.show(range.lowerBound)) to \(DurationText.show(range.upperBound))"
    }

    static func range(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound) to \(range.upperBound)" }

    static func range(_ range: ClosedRange<UInt64>) -> String {
        "\(SizeText.show(range.lowerBound)) to \(SizeText.show(range.upperBound))"
    }
}
