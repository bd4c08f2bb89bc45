/// A message: `role` decides which of the optional fields are there.
struct MessageInfo: Codable, Sendable {
    var id: String
    var sessionID: String
    var role: Role
    var time: Time
    var agent: String
    /// user only
    var model: Model?
    /// assistant only, as the following
    var parentID: String?
    var modelID: String?
    var providerID: String?
    var mode: String?
    /// True for the summary of a conversation.
    var summary: Bool?
    var path: Path?
    var cost: Double?
    var tokens: Tokens?
    /// Absent while the answer is under way, and for ever if the process was killed meanwhile.
    var finish: String?
    var error: Problem?
    /// What a client of 2.x gave with its prompt.
    var metadata: Shape?

    /// Who wrote it.
    enum Role: String, Codable, Sendable {
        case user, assistant
    }

    /// Milliseconds since 1970.
    struct Time: Codable, Sendable {
        var created: UInt64
        var completed: UInt64?
    }

    /// The model a user message was for.
    struct Model: Codable, Sendable {
        var providerID: String
        var modelID: String
    }

    /// Where the assistant worked.
    struct Path: Codable, Sendable {
        var cwd: String
        var root: String
    }

    /// Why an answer ended early.
    struct Problem: Codable, Sendable, Error {
        var name: String
        var data: Data

        struct Data: Codable, Sendable {
            var message: String
            var providerID: String?
            var statusCode: Int?
            var isRetryable: Bool?
        }

        static let aborted = Problem(name: "MessageAbortedError", data: .init(message: "Aborted"))

        /// The provider answered with this status.
        static func provider(status: Int, _ message: String, isRetryable: Bool) -> Problem {
            Problem(
                name: "APIError", data: .init(message: message, statusCode: status, isRetryable: isRetryable))
        }

        /// What has no name of its own.
        static func unknown(_ message: String) -> Problem {
            Problem(name: "UnknownError", data: .init(message: message))
        }

        /// The provider wants other credentials.
        static func login(_ message: String) -> Problem {
            Problem(name: "ProviderAuthError", data: .init(message: message, providerID: Catalog.providerID))
        }
    }
}

/// A part of a message: text, reasoning, tool, step-start, step-finish or compaction.
struct Part: Codable, Sendable {
    var id: String
    var sessionID: String
    var messageID: String
    var type: String
    var text: String?
    var time: Time?
    /// tool only, as the following
    var callID: String?
    var tool: String?
    var state: ToolState?
    /// step-finish only, as the following
    var reason: String?
    var cost: Double?
    var tokens: Tokens?
    /// compaction only
    var auto: Bool?

    /// Milliseconds since 1970.
    struct Time: Codable, Sendable {
        var start: UInt64
        var end: UInt64?
    }
}

/// Where a tool call stands; the status decides which of the optional fields are there.
struct ToolState: Codable, Sendable {
    var status: Status
    var input: [String: String]
    var raw: String?
    var output: String?
    var error: String?
    var title: String?
    var metadata: [String: String]?
    var time: Part.Time?

    enum Status: String, Codable, Sendable {
        case pending, running, completed, error
    }
}

/// A message with its parts, as lists and blocking prompts answer it.
struct Message: Codable, Sendable {
    var info: MessageInfo
    var parts: [Part]
}
