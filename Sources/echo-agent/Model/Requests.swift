import Foundation

/// Body of POST /session.
struct NewSession: Decodable {
    var title: String?
    var parentID: String?
}

/// Body of PATCH /session/{id}.
struct SessionChange: Decodable {
    var title: String?
    var time: Time?

    struct Time: Decodable {
        var archived: UInt64?
    }
}

/// Body of POST /session/{id}/message and prompt_async. What an echo has no use for (system, tools, variant, format) is
/// read over, as opencode reads over unknown fields.
struct Prompt: Decodable {
    var parts: [Part]
    var messageID: String?
    var agent: String?
    var model: MessageInfo.Model?
    var noReply: Bool?
    /// Kept with the message; 2.x only.
    var metadata: Shape?

    struct Part: Decodable {
        var type: String
        var id: String?
        var text: String?
        /// file only, as the following
        var mime: String?
        var filename: String?
        var url: String?
    }

    /// Longest body of a request in bytes: files come in it as base64.
    static let bodyLimit = 32 << 20
    /// Longest text of one prompt in bytes.
    static let textLimit = 262_144

    /// All text parts, one below the other.
    var text: String {
        parts.compactMap { $0.type == "text" ? $0.text : nil }.joined(separator: "\n")
    }

    /// What is not text, in words.
    var attachments: [String] {
        parts.filter { $0.type != "text" }.map { part in
            let data = part.url?.split(separator: ",", maxSplits: 1).last.flatMap { Data(base64Encoded: String($0)) }
            return "\(part.filename ?? part.type) (\(part.mime ?? "unknown"), \(data?.count ?? 0) bytes)"
        }
    }
}

/// Body of POST /session/{id}/command.
struct CommandRequest: Decodable {
    var command: String
    var arguments: String
    var messageID: String?
    var agent: String?
    /// `PROVIDER/MODEL`
    var model: String?
}

/// Body of POST /session/{id}/summarize.
struct SummaryRequest: Decodable {
    var providerID: String
    var modelID: String
}
