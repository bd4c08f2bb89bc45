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

    /// Bytes of a message (`size`). It has to fit into a frame (64 KiB) with what surrounds it.
    public static let textLimit = 60_000

    /// Bytes of a text as JSON writes it, without the quotes around it: as the page and nexusctl count them too. Quotes, backslashes
    /// and line breaks are two, other control characters six; a slash is one.
    static func size(of text: String) -> Int {
        text.utf8.reduce(0) { size, byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: size + 2
            case ..<0x20: size + 6
            case _: size + 1
            }
        }
    }

    /// Bytes of a client id.
    public static let clientIDLimit = 128
}
