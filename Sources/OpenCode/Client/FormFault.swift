/// What is wrong with JSON of somebody else, and where: never a library's own description of it.
public enum FormFault {
    /// `"id" is missing`.
    public static func words(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let about): "\(place(about.codingPath + [key])) is missing"
        case DecodingError.typeMismatch(_, let about), DecodingError.valueNotFound(_, let about):
            "\(place(about.codingPath)) is of another kind"
        case DecodingError.dataCorrupted(let about) where !about.codingPath.isEmpty:
            "\(place(about.codingPath)) is nothing that is known"
        case _: "it is no JSON object"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "it" : "\"\(path.map(\.stringValue).joined(separator: "."))\""
    }
}
