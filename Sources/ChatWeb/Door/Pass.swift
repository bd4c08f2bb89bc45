/// What a device shows at each request. Cookies know no port: whatever program listens on another port of the same name gets
/// the browser's cookie with whoever follows a link there, as the agent's own servers do on localhost. What the page keeps it
/// gives to nobody but its own origin, whose port counts.
struct Pass: Sendable {
    /// In the cookie.
    let token: String
    /// Kept by the page, and said beside the cookie (`X-Nexus`); nil where no other program can get the cookie.
    let key: String?

    /// As the store keeps it.
    var tokenHash: [UInt8] { Secrets.hash(token) }
    /// The same.
    var keyHash: [UInt8]? { key.map { Secrets.hash($0) } }

    static func random(withKey: Bool) -> Pass { Pass(token: Secrets.token(), key: withKey ? Secrets.token() : nil) }

    /// Whether a text has the length of either half: nothing else is looked up.
    static func mayBe(_ text: String) -> Bool { text.utf8.count == Secrets.tokenBytes * 2 }
}
