// The `properties` of the events that are sent.

/// session.created, session.updated, session.deleted
struct SessionChanged: Encodable {
    var sessionID: String
    var info: Session
}

/// message.updated
struct MessageChanged: Encodable {
    var sessionID: String
    var info: MessageInfo
}

/// message.part.updated
struct PartChanged: Encodable {
    var sessionID: String
    var part: Part
    var time: UInt64
}

/// message.part.delta
struct PartDelta: Encodable {
    var sessionID: String
    var messageID: String
    var partID: String
    var field = "text"
    var delta: String
}

/// session.status
struct StatusChanged: Encodable {
    var sessionID: String
    var status: SessionStatus
}

/// session.idle
struct SessionOnly: Encodable {
    var sessionID: String
}

/// session.compacted
struct SessionCompacted: Encodable {
    var sessionID: String
    /// 2.x tells it.
    var summary: String

    private enum CodingKeys: String, CodingKey {
        case sessionID
    }
}

/// session.error
struct SessionError: Encodable {
    var sessionID: String
    var error: MessageInfo.Problem
}

/// session.diff; an echo changes no file, but says so when asked to.
struct SessionDiff: Encodable {
    var sessionID: String
    var diff: [FileDiff] = []
}
