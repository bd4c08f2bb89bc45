/// Where a turn stands: always exactly one of these, also after any crash.
public enum TurnState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Stored; the agent has not seen it.
    case queued
    /// Handed to the agent, or just about to be. Never handed over a second time without the user's word.
    case running
    /// The agent finished.
    case done
    /// It was stopped, or something went away; the reason says what.
    case interrupted
    /// It could not be done; the reason says why.
    case failed

    /// Nothing more comes.
    public var isOver: Bool {
        switch self {
        case .queued, .running: false
        case .done, .interrupted, .failed: true
        }
    }
}

/// One session as a list shows it.
public struct ChatSession: Hashable, Sendable {
    /// Id.
    public var id: SessionID
    /// The beginning of its first message.
    public var title: String
    /// A name from `[agent] workspaces`; nil: the agent's first.
    public var workspace: String?
    /// State of its last turn.
    public var state: TurnState
    /// Turns in it.
    public var turns: Int
    /// Milliseconds since 1970.
    public var created: Int64
    /// Milliseconds since 1970: its last turn began, moved on or ended.
    public var updated: Int64
}

/// One turn.
public struct ChatTurn: Hashable, Sendable {
    /// Id.
    public var id: TurnID
    /// Its session.
    public var session: SessionID
    /// State.
    public var state: TurnState
    /// What the user wrote.
    public var text: String
    /// Why it was interrupted or failed.
    public var reason: String?
    /// A number below those of all its events.
    public var before: EventNumber
    /// Milliseconds since 1970: when it was accepted.
    public var created: Int64
}

/// What a client sends.
public struct Submission: Hashable, Sendable {
    /// Nil begins a new session.
    public var session: SessionID?
    /// Of a new session; refused if it differs from that of an existing one.
    public var workspace: String?
    /// What the user wrote.
    public var text: String
    /// Made by the client, random; sending the same again finds the same turn.
    public var clientID: String

    /// All fields.
    public init(session: SessionID?, workspace: String? = nil, text: String, clientID: String) {
        self.session = session
        self.workspace = workspace
        self.text = text
        self.clientID = clientID
    }

    /// Bytes of a message's JSON string. The message has to fit into a frame (64 KiB) with what surrounds it.
    public static let textLimit = 60_000
    /// Bytes of a client id.
    public static let clientIDLimit = 128
}

/// Why a request of a client was not done; the words are for the user.
public struct ChatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure.
    public enum Code: Hashable, Sendable {
        /// No such session or turn.
        case unknown
        /// The request makes no sense as it stands.
        case badRequest
        /// Too much at once.
        case busy
        /// chat-bridge ends; the same can be asked again when it is back.
        case stopping
        /// Tried and failed.
        case failed
    }

    /// Kind.
    public let code: Code
    /// Words.
    public let message: String

    /// Both.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The words.
    public var description: String { message }
}
