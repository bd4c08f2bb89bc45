import AgentModel
import FoundationEssentials

/// What a tool was called with, or what is told about a request for leave.
struct ToolInput: Decodable, Hashable, Sendable {
    /// The fields that are texts.
    private let texts: [String: String]
    /// Every field as words.
    private let all: [String: String]

    /// Reads any JSON object.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.singleValueContainer().decode([String: Value].self)
        texts = fields.compactMapValues(\.text)
        all = fields.mapValues(\.words)
    }

    /// A call whose input is not there yet.
    init() { (texts, all) = ([:], [:]) }

    /// The text of a field.
    subscript(_ field: String) -> String? { texts[field] }

    /// What the call is about, in a line; the tool's name where nothing says it.
    func title(of tool: String) -> String {
        for field in ["description", "command", "filePath", "path", "pattern", "url", "query"] {
            if let text = texts[field], !text.isEmpty { return text.cut(to: 500) }
        }
        return tool
    }

    /// All of it for a reader, a field a line; nil: there is none.
    var words: String? {
        let fields = all.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        return fields.isEmpty ? nil : fields.map { "\($0): \($1)" }.joined(separator: "\n").cut(to: ToolCall.inputLimit)
    }

    /// Any JSON; what is no text is shown as JSON.
    private enum Value: Codable {
        case text(String)
        case flag(Bool)
        case number(Double)
        case list([Value])
        case object([String: Value])
        case null

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .null
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else if let flag = try? value.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else if let list = try? value.decode([Value].self) {
                self = .list(list)
            } else {
                self = .object(try value.decode([String: Value].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .text(let text): try value.encode(text)
            case .flag(let flag): try value.encode(flag)
            case .number(let number): try value.encode(number)
            case .list(let list): try value.encode(list)
            case .object(let object): try value.encode(object)
            case .null: try value.encodeNil()
            }
        }

        var words: String {
            switch self {
            case .text(let text): return text
            case .null: return ""
            case .flag, .number, .list, .object:
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            }
        }

        var text: String? {
            if case .text(let text) = self { text } else { nil }
        }
    }
}
