import Foundation

/// What may go out, as `[word]` of Supervisor.toml says.
public struct WordRules: Hashable, Sendable {
    /// Which words are said; none: nothing leaves the machine.
    public var send: Set<Word.Kind>
    /// The session's title goes along.
    public var withTitle: Bool
    /// Where each word is posted; nil: nowhere.
    public var webhook: String?
    /// Whom a push service may write to; nil: nobody is named.
    public var contact: String?
    /// Push services may be on this machine and in its local networks.
    public var mayPushToPrivate: Bool

    /// Nothing goes out.
    public static let off = WordRules(send: [], withTitle: false, mayPushToPrivate: false)

    /// All fields.
    public init(
        send: Set<Word.Kind>, withTitle: Bool, webhook: String? = nil, contact: String? = nil, mayPushToPrivate: Bool
    ) {
        self.send = send
        self.withTitle = withTitle
        self.webhook = webhook
        self.contact = contact
        self.mayPushToPrivate = mayPushToPrivate
    }

    private struct Fields: Decodable {
        enum Text: String, Decodable { case none, title }
        enum Reach: String, Decodable { case `public`, `private` }
        enum CodingKeys: String, CodingKey { case send, text, webhook, contact, pushTo = "push-to" }
        var send: [Word.Kind]
        var text: Text
        var webhook: String
        var contact: String
        var pushTo: Reach
    }

    /// What `{word}` becomes; nil for anything else.
    public init?(json: String) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(json.utf8)) else { return nil }
        self.init(
            send: Set(fields.send), withTitle: fields.text == .title,
            webhook: fields.webhook.isEmpty ? nil : fields.webhook,
            contact: fields.contact.isEmpty ? nil : fields.contact, mayPushToPrivate: fields.pushTo == .private)
    }
}
