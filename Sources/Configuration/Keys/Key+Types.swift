import Plan
import SupervisorCore

// The types of values. Each gives the words of the reference and the check of the parser from the same arguments.

extension Key where Value == Bool {
    static func flag(_ name: String, _ initial: Bool, _ summary: String) -> Key {
        Key(name, type: "boolean", shape: .flag, initial: initial, shown: "\(initial)", summary) {
            node throws(Mismatch) in
            try node.flag()
        }
    }
}

extension Key where Value == Int {
    static func number(_ name: String, _ initial: Int, _ range: ClosedRange<Int>, _ summary: String) -> Key {
        Key(
            name, type: "integer", shape: .integer(range), initial: initial, shown: "\(initial)",
            range: Shown.range(range), summary
        ) {
            node throws(Mismatch) in
            let number = try node.number()
            guard range.contains(number) else { throw .range(Shown.range(range), found: "\(number)", node) }
            return number
        }
    }
}

extension Key where Value == UInt16 {
    /// Permission bits as text: a TOML integer would not be octal.
    static func octal(_ name: String, _ initial: UInt16, _ summary: String) -> Key {
        let digits = String(initial, radix: 8)
        let shown = String(repeating: "0", count: 4 - digits.count) + digits
        return Key(
            name, type: "string", shape: .form(.octal), initial: initial, shown: shown, range: "\"0000\" to \"0777\"",
            summary
        ) {
            node throws(Mismatch) in
            if case .integer(let number) = node.value { throw Self.noMode(number, node) }
            let text = try node.text()
            guard let mode = UInt16(text, radix: 8), mode <= 0o777,
                text.utf8.allSatisfy({ $0 < UInt8(ascii: "8") && $0 >= UInt8(ascii: "0") })
            else {
                throw Mismatch(
                    node.position, "must be an octal number from \"0000\" to \"0777\", found \"\(text)\"")
            }
            return mode
        }
    }

    /// The digits as they were meant, or else what an octal integer of TOML (`0o022`) comes to.
    private static func noMode(_ number: Int, _ node: Node) -> Mismatch {
        let digits = String(number)
        let isMeant = !node.isOctal && UInt16(digits, radix: 8).map { $0 <= 0o777 } ?? false
        let meant = isMeant ? digits : String(number, radix: 8)
        let isMode = (0...0o777).contains(UInt16(meant, radix: 8) ?? .max)
        let written = isMode ? String(repeating: "0", count: 4 - meant.count) + meant : "0022"
        return Mismatch(
            node.position, "must be octal digits in quotes: write \"\(written)\", found the integer \(number)")
    }
}

extension Key where Value == Int? {
    static func number(
        _ name: String, in range: ClosedRange<Int>, shown: String = "", _ summary: String
    ) -> Key {
        Key(
            name, type: "integer", shape: .integer(range), initial: nil, shown: shown, range: Shown.range(range),
            summary
        ) {
            node throws(Mismatch) in
            let number = try node.number()
            guard range.contains(number) else { throw .range(Shown.range(range), found: "\(number)", node) }
            return number
        }
    }
}

extension Key where Value == Duration {
    static func duration(
        _ name: String, _ initial: Duration, _ range: ClosedRange<Duration>, _ summary: String
    ) -> Key {
        Key(
            name, type: "duration", shape: .duration(range), initial: initial, shown: DurationText.show(initial),
            range: Shown.range(range),
            summary
        ) { node throws(Mismatch) in try node.duration(range) }
    }
}

extension Key where Value == Duration? {
    static func duration(
        _ name: String, in range: ClosedRange<Duration>, shown: String = "", _ summary: String
    ) -> Key {
        Key(
            name, type: "duration", shape: .duration(range), initial: nil, shown: shown, range: Shown.range(range),
            summary
        ) {
            node throws(Mismatch) in try node.duration(range)
        }
    }

    static func durationOrNever(
        _ name: String, _ initial: Duration, _ range: ClosedRange<Duration>, _ summary: String
    ) -> Key {
        Key(
            name, type: "duration or \"never\"", shape: .any([.duration(range), .word(["never"])]), initial: initial,
            shown: DurationText.show(initial),
            range: Shown.range(range), summary
        ) { node throws(Mismatch) in
            if case .string("never") = node.value { return nil }
            return try node.duration(range, or: "never")
        }
    }
}

extension Key where Value == UInt64? {
    static func size(_ name: String, in range: ClosedRange<UInt64>, shown: String, _ summary: String) -> Key {
        Key(name, type: "size", shape: .size(range), initial: nil, shown: shown, range: Shown.range(range), summary) {
            node throws(Mismatch) in
            let bytes: UInt64
            switch node.value {
            case .string(let text):
                guard let size = SizeText.parse(text) else { throw .noSize(text, node) }
                bytes = size
            case .integer(let number):
                guard let size = UInt64(exactly: number) else { throw .noSize("\(number)", node) }
                bytes = size
            case .float, .boolean, .time, .array, .table: throw .kind(SizeText.form, node)
            }
            guard range.contains(bytes) else { throw .range(Shown.range(range), found: SizeText.show(bytes), node) }
            return bytes
        }
    }
}

extension Key where Value == Bool? {
    static func flag(_ name: String, shown: String, _ summary: String) -> Key {
        Key(name, type: "boolean", shape: .flag, initial: nil, shown: shown, summary) { node throws(Mismatch) in
            try node.flag()
        }
    }
}

extension Key where Value == String? {
    static func text(
        _ name: String, shown: String = "", range: String = "", form: TextForm? = nil, isAddress: Bool = false,
        _ summary: String
    ) -> Key {
        let shape = form.map { KeyShape.form($0) } ?? .text
        return Key(name, type: "string", shape: shape, initial: nil, shown: shown, range: range, summary) {
            node throws(Mismatch) in
            if isAddress, case .integer(let port) = node.value, (1...65_535).contains(port) {
                throw Mismatch(
                    node.position,
                    "must be an address and a port: write \"127.0.0.1:\(port)\", found the integer \(port)")
            }
            return try node.text()
        }
    }
}

extension Key where Value == String? {
    /// A user or a group.
    static func person(_ name: String, shown: String, _ id: String, _ summary: String) -> Key {
        Key(
            name, type: "string", shape: .form(.person), initial: nil, shown: shown,
            range: "name, or \(id) in quotes", summary
        ) { node throws(Mismatch) in try node.person() }
    }
}

extension Key where Value == [Placed<String>] {
    static func texts(
        _ name: String, of what: String, shape: KeyShape = .list(of: .text), shown: String = "[]", _ summary: String
    ) -> Key {
        Key(name, type: "array of \(what)", shape: shape, initial: [], shown: shown, summary) {
            node throws(Mismatch) in
            try node.texts(of: what)
        }
    }
}

extension Key {
    /// One of a few words.
    static func word(_ name: String, _ initial: String, _ words: [(String, Value)], value: Value, _ summary: String)
        -> Key
    {
        let names = words.map(\.0)
        let values = Dictionary(uniqueKeysWithValues: words)
        let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
        return Key(name, type: "word", shape: .word(names), initial: value, shown: initial, range: list, summary) {
            node throws(Mismatch) in
            guard case .string(let word) = node.value else { throw .kind("one of \(list)", node) }
            guard let value = values[word] else {
                throw Mismatch(
                    node.position, "must be one of \(list), found \"\(word)\"\(Nearest.hint(for: word, among: names))")
            }
            return value
        }
    }
}

extension Key where Value == SectionValue? {
    /// A table with keys of its own.
    static func table(
        _ name: String, _ section: SectionInfo, shown: String = "see below", _ form: String, _ summary: String
    ) -> Key {
        Key(name, type: "table", shape: .section(section.title), initial: nil, shown: shown, range: form, summary) {
            node throws(Mismatch) in
            SectionValue(info: section, table: try node.table(form))
        }
    }
}

extension Key where Value == Placed<Table>? {
    /// A table whose keys are names of other things.
    static func map(
        _ name: String, of what: String, shape: KeyShape, _ form: String, _ summary: String
    ) -> Key {
        Key(name, type: "table of \(what)", shape: shape, initial: nil, range: form, summary) {
            node throws(Mismatch) in
            Placed(value: try node.table(form), position: node.position)
        }
    }
}

/// A table together with the keys it may have.
struct SectionValue: Sendable {
    let info: SectionInfo
    let table: Table
}
