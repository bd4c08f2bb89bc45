/// A TOML document as values that know their places, in the order of the file. TOMLKit reads the values, but hands keys
/// out alphabetically and keeps no places; `PositionScanner` adds both.
struct Node: Sendable {
    let position: Position
    let value: Value
    /// An integer that is written `0o17`.
    var isOctal = false

    /// The kinds of TOML.
    enum Value: Sendable {
        case string(String)
        case integer(Int)
        case float
        case boolean(Bool)
        case time
        case array([Node])
        case table(Table)
    }

    /// The kind with its article, for "expected …, found …".
    var kind: String {
        switch value {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a floating-point number"
        case .boolean: "a boolean"
        case .time: "a date or time"
        case .array: "an array"
        case .table: "a table"
        }
    }
}

/// A table; its entries stand in the order of the file.
struct Table: Sendable {
    let position: Position
    var entries: [Entry]

    /// One key with its value.
    struct Entry: Sendable {
        let key: String
        let position: Position
        let node: Node
    }

    /// The entry of a key.
    subscript(key: String) -> Entry? { entries.first { $0.key == key } }
}
