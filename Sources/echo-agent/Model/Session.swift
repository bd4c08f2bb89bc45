/// A session as the API shows it. Fields that this stand-in has no use for (share, permission) are absent.
struct Session: Codable, Sendable {
    var id: String
    var slug: String
    var projectID: String
    var directory: String
    var path: String
    var parentID: String?
    var title: String
    var agent: String
    var model: Model
    var version: String
    var cost: Double
    var tokens: Tokens
    var time: Time
    /// What was taken back: this message and all behind it. The next prompt removes them.
    var revert: Revert?
    /// Nothing but what it is a copy of.
    var metadata: Metadata?

    /// 1.x takes any.
    struct Metadata: Codable, Sendable {
        var fork: Fork?
    }

    /// Where a session goes back to.
    struct Revert: Codable, Sendable {
        var messageID: String
    }

    /// Another session, up to before a message of it.
    struct Fork: Codable, Sendable {
        var sessionID: String
        var before: String
    }

    /// The model of a session; a message calls the first field `modelID`.
    struct Model: Codable, Sendable {
        var id: String
        var providerID: String
    }

    /// Milliseconds since 1970.
    struct Time: Codable, Sendable {
        var created: UInt64
        var updated: UInt64
        var archived: UInt64?
    }
}

/// Token counts: words, as if.
struct Tokens: Codable, Sendable {
    var input = 0
    var output = 0
    var reasoning = 0
    var cache = Cache()

    /// Cached tokens.
    struct Cache: Codable, Sendable {
        var read = 0
        var write = 0
    }
}

/// Whether a session works; an idle one is absent from the map.
struct SessionStatus: Codable, Sendable {
    var type: String
    /// `retry` only, as the following.
    var attempt: Int?
    var message: String?
    /// Milliseconds since 1970.
    var next: UInt64?

    static let busy = SessionStatus(type: "busy")
    static let idle = SessionStatus(type: "idle")
}
