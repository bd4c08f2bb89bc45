/// JSON as 2.x has it in answers and frames: it goes out, and what came in with a prompt is kept. In a literal what is nil
/// is left out.
indirect enum Shape: Hashable, Sendable {
    case object([String: Shape])
    case list([Shape])
    case text(String)
    case number(Double)
    case yes(Bool)
    case null

    /// The field of an object.
    subscript(_ field: String) -> Shape? {
        if case .object(let fields) = self { fields[field] } else { nil }
    }

    /// A text, or nothing.
    static func maybe(_ text: String?) -> Shape? { text.map(Shape.text) }

    /// Milliseconds since 1970, or nothing.
    static func time(_ time: UInt64?) -> Shape? { time.map { .number(Double($0)) } }
}

extension Shape: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    init(dictionaryLiteral elements: (String, Shape?)...) {
        self = .object(Dictionary(uniqueKeysWithValues: elements.compactMap { key, value in value.map { (key, $0) } }))
    }
    init(arrayLiteral elements: Shape...) { self = .list(elements) }
    init(stringLiteral value: String) { self = .text(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(booleanLiteral value: Bool) { self = .yes(value) }
}

extension Shape: Codable {
    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let yes = try? value.decode(Bool.self) {
            self = .yes(yes)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([Shape].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: Shape].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .object(let fields): try value.encode(fields)
        case .list(let items): try value.encode(items)
        case .text(let text): try value.encode(text)
        case .number(let number):
            // Whole numbers without a point: much of the contract takes nothing else.
            if let whole = Int64(exactly: number) { try value.encode(whole) } else { try value.encode(number) }
        case .yes(let yes): try value.encode(yes)
        case .null: try value.encodeNil()
        }
    }
}
