/// What a tool was called with, or what is told about a request for leave: of its fields only the texts are of use.
struct ToolInput: Decodable, Hashable, Sendable {
    private let texts: [String: String]

    /// Reads any JSON object.
    init(from decoder: any Decoder) throws {
        texts = try decoder.singleValueContainer().decode([String: Value].self).compactMapValues(\.text)
    }

    /// A call whose input is not there yet.
    init() { texts = [:] }

    /// The text of a field.
    subscript(_ field: String) -> String? { texts[field] }

    /// What the call is about, in a line; the tool's name where nothing says it.
    func title(of tool: String) -> String {
        for field in ["description", "command", "filePath", "path", "pattern", "url", "query"] {
            if let text = texts[field], !text.isEmpty { return text.cut(to: 500) }
        }
        return tool
    }

    private struct Value: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }
}
