/// A JSON document as values. Why not a decoder of Foundation: `status` has to be shown within a millisecond of the
/// command's start, and the decoder alone takes longer than that for a hundred children.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number without fraction or exponent that fits.
    case integer(Int64)
    /// Every other number.
    case real(Double)
    case string(String)
    case array([JSONValue])
    /// Members in the order of the document; of two with one name the first counts.
    case object([Member])

    /// One member of an object.
    public struct Member: Hashable, Sendable {
        /// Name.
        public var name: String
        /// Value.
        public var value: JSONValue

        /// Both.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The member of that name; nil for anything that is no object or has none.
    public subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The text, if it is one.
    public var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The whole number, if it is one.
    public var number: Int64? {
        guard case .integer(let number) = self else { return nil }
        return number
    }

    /// True or false, if it is either.
    public var flag: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    /// The elements; empty for anything that is no array.
    public var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    /// The members; empty for anything that is no object.
    public var members: [Member] {
        guard case .object(let members) = self else { return [] }
        return members
    }
}
