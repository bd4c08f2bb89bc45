/// Literal text with `{name}` and `{name:int}`; matched in linear time, the first match of a run counts.
public struct LinePattern: Hashable, Sendable {
    /// In order; two captures are never adjacent.
    public var pieces: [Piece]

    /// One piece of a pattern.
    public enum Piece: Hashable, Sendable {
        /// This text, byte for byte.
        case literal(String)
        /// Up to 128 bytes of [A-Za-z0-9._:/-], taken up to the first occurrence of the next literal.
        case capture(name: String)
        /// 1 to 18 digits.
        case integer(name: String)
    }

    /// Pieces in order.
    public init(pieces: [Piece]) { self.pieces = pieces }
}
