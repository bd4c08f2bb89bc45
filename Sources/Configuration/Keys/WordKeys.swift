import Plan
import SupervisorCore

/// Keys of `[word]`.
enum WordKeys {
    /// The words that there are.
    private static let kinds = ["turn", "asked", "parked", "address"]
    private static let list = kinds.map { "\"\($0)\"" }.joined(separator: ", ")

    static let send = Key<[String]>(
        "send", type: "array of words", shape: .list(of: .word(kinds)), initial: [], shown: "[]", range: list,
        "What the owner is told without having asked: a turn is over, the agent asks something, a child is parked, the tunnel "
            + "has a new address. Empty: nothing leaves this machine."
    ) { node throws(Mismatch) in
        try node.each(of: "words") { element throws(Mismatch) in
            guard case .string(let word) = element.value else {
                throw Mismatch(element.position, "must hold strings only, found \(element.kind)")
            }
            guard kinds.contains(word) else {
                throw Mismatch(
                    element.position,
                    "must hold some of \(list), found \"\(word)\"\(Nearest.hint(for: word, among: kinds))")
            }
            return word
        }
    }

    static let text = Key.word(
        "text", "none", [("none", "none"), ("title", "title")], value: "none",
        "Text of the chat that goes along: none, or the session's title (the beginning of its first message).")

    static let webhook = Key<String>(
        "webhook", type: "string", shape: .form(.webhook), initial: "", shown: "none",
        range: "\"https://…\" or \"http://…\"",
        "Each word is posted there as JSON, signed with the secret `webhook` of chat-bridge."
    ) { node throws(Mismatch) in
        let text = try node.text()
        guard isWebhook(text) else {
            throw Mismatch(
                node.position,
                "must be an address such as \"https://hooks.example.invalid/nexus\", without a user in it, found \"\(text)\""
            )
        }
        return text
    }

    static let contact = Key<String>(
        "contact", type: "string", shape: .form(.contact), initial: "", shown: "none",
        range: "\"mailto:…\" or \"https://…\"",
        "Whom a push service may write to about the messages (RFC 8292); some services want one. Default: `[chat] url`."
    ) { node throws(Mismatch) in
        let text = try node.text()
        guard ["mailto:", "https://"].contains(where: { text.hasPrefix($0) && text.count > $0.count }), isPlain(text)
        else {
            throw Mismatch(
                node.position, "must be such as \"mailto:owner@example.invalid\" or an https address, found \"\(text)\""
            )
        }
        return text
    }

    static let pushTo = Key.word(
        "push-to", "public", [("public", "public"), ("private", "private")], value: "public",
        "Browsers name their push service: it must be on the public internet, or (private) may also be on this machine or in "
            + "its local networks.")

    static let section = SectionInfo(
        title: "[word]",
        summary: "Word out of what needs the owner; given as `{word}`. Off until `send` has something.",
        keys: [send.info, text.info, webhook.info, contact.info, pushTo.info])

    /// http or https, a host, nothing that could be a password: what is in the file is no secret.
    private static func isWebhook(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix), isPlain(text) else { return false }
        let host = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        return !host.isEmpty && !host.contains("@") && !text.contains("#")
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= 2048 && text.utf8.allSatisfy { (UInt8(ascii: "!")...UInt8(ascii: "~")).contains($0) }
    }
}
