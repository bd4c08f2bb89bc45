/// A place in a text: both numbers count from 1, columns count Unicode scalars, as editors and TOMLKit do.
public struct Position: Hashable, Comparable, Sendable {
    /// Line.
    public var line: Int
    /// Column.
    public var column: Int

    /// Both.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The first character: for what concerns the whole file.
    public static let start = Position(line: 1, column: 1)

    /// The order of reading.
    public static func < (left: Position, right: Position) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A value with the place where it stands, so that a later check can still point at it.
struct Placed<Value> {
    let value: Value
    let position: Position
}

extension Placed: Sendable where Value: Sendable {}
