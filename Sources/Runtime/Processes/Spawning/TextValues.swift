public import Plan
public import SupervisorCore

/// What the open pieces of a `Text` stand for at this moment.
public struct TextValues {
    /// What a sibling's ready pattern captured; nil: nothing yet.
    public var captured: (ChildID, String) -> String?
    /// A secret's value; nil: it cannot be had.
    public var secret: (UInt16) -> String?

    /// Both look-ups.
    public init(captured: @escaping (ChildID, String) -> String?, secret: @escaping (UInt16) -> String?) {
        self.captured = captured
        self.secret = secret
    }

    /// The text with its pieces put in; throws the piece that has no value.
    public func resolve(_ text: Text) throws(MissingValue) -> String {
        if text.pieces.count == 1, case .literal(let literal)? = text.pieces.first { return literal }
        var result = ""
        for piece in text.pieces {
            switch piece {
            case .literal(let literal):
                result += literal
            case .captured(let child, let name):
                guard let value = captured(child, name) else { throw MissingValue(piece: piece) }
                result += value
            case .secret(let index):
                guard let value = secret(index) else { throw MissingValue(piece: piece) }
                result += value
            }
        }
        return result
    }
}

/// A text names a value that is not there.
public struct MissingValue: Error, Hashable, Sendable {
    /// The piece without a value.
    public let piece: Text.Piece
}
