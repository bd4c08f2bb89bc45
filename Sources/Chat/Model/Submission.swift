/// What a client sends.
public struct Submission: Hashable, Sendable {
    /// Nil begins a new session.
    public var session: SessionID?
    /// Of a new session; refused if it differs from that of an existing one.
    public var workspace: String?
    /// What the user wrote.
    public var text: String
    /// Model and agent from this message on.
    public var choice: ChoiceChange
    /// Made by the client, random; sending the same again finds the same turn.
    public var clientID: String
    /// Files that were uploaded before.
    public var attachments: [AttachmentReference]
    /// Whoever sent it does not want it done any more, and does not know whether it was taken: the agent never gets it, and
    /// its client id is spent.
    public var isWithdrawn: Bool

    /// All fields.
    public init(
        session: SessionID?, workspace: String? = nil, text: String, choice: ChoiceChange = ChoiceChange(),
        clientID: String, attachments: [AttachmentReference] = [], isWithdrawn: Bool = false
    ) {
        self.session = session
        self.workspace = workspace
        self.text = text
        self.choice = choice
        self.clientID = clientID
        self.attachments = attachments
        self.isWithdrawn = isWithdrawn
    }

    /// Bytes of a message's JSON string. The message has to fit into a frame (64 KiB) with what surrounds it.
    public static let textLimit = 60_000
    /// Bytes of a client id.
    public static let clientIDLimit = 128
}
