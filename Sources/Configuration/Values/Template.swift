/// A text with `{references}`; `{{` and `}}` stand for the braces themselves.
struct Template {
    enum Piece: Equatable {
        case literal(String)
        case reference(String)
    }
    let pieces: [Piece]

    /// Why a text is no template.
    struct Problem: Error {
        let words: String
    }

    init(_ text: String) throws(Problem) {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
            pieces = text.isEmpty ? [] : [.literal(text)]
            return
        }
        var pieces: [Piece] = []
        var literal = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case "{" where rest.first == "{", "}" where rest.first == "}":
                rest.removeFirst()
                literal.append(character)
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    throw Problem(
                        words: "a '{' without its '}'; close it, or double it where the brace itself is meant")
                }
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = ""
                pieces.append(.reference(String(rest[..<end])))
                rest = rest[rest.index(after: end)...]
            case "}":
                throw Problem(words: "a '}' without its '{'; open it, or double it where the brace itself is meant")
            case _: literal.append(character)
            }
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        self.pieces = pieces
    }
}
