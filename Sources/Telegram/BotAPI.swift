import Foundation
public import Outgoing

/// The Bot API over HTTPS. The token is part of every address: nothing here shows an address.
public struct BotAPI: Sendable {
    /// Seconds that Telegram holds `getUpdates` open when there is nothing.
    public static let pollSeconds = 50
    /// Updates taken at a time.
    static let updateLimit = 20

    private let base: String
    private let token: String
    private let port: any OutgoingPort

    /// Why something was not done.
    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// Not reached, or nothing whole came back.
        case unreachable(String)
        /// Too often; may be tried again after so many seconds.
        case tooOften(seconds: Int)
        /// The token is nobody's (401, or 404 for one of a wrong form).
        case token
        /// Somebody else asks for this bot's updates.
        case conflict
        /// Telegram's own words.
        case refused(Int, String)

        /// For people.
        public var description: String {
            switch self {
            case .unreachable(let why): "Telegram is not reached: \(why)"
            case .tooOften(let seconds): "Telegram wants a pause of \(seconds) s"
            case .token: "Telegram does not know the bot's token"
            case .conflict: "another program asks for this bot's messages"
            case .refused(let code, let words): "Telegram refuses (\(code)): \(words)"
            }
        }
    }

    /// `base` is `https://api.telegram.org`, or a Bot API server of the owner's own.
    public init(base: String, token: String, port: any OutgoingPort) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.token = token
        self.port = port
    }

    private struct Me: Decodable { var username: String? }

    /// The bot's own name.
    public func me() async throws(Failure) -> String {
        struct Nothing: Encodable {}
        let me: Me = try await call("getMe", Nothing())
        return me.username ?? "?"
    }

    /// What happened since; waits for something to happen.
    public func updates(from offset: Int64) async throws(Failure) -> [Update] {
        struct Asked: Encodable {
            var offset: Int64
            var timeout = BotAPI.pollSeconds
            var limit = BotAPI.updateLimit
            var allowed_updates = ["message", "callback_query"]
        }
        return try await call("getUpdates", Asked(offset: offset), limit: .seconds(Self.pollSeconds + 15))
    }

    private struct Sent: Encodable {
        var chat_id: Int64
        var message_id: Int64?
        var text: String
        var reply_markup: InlineKeyboard?
        var link_preview_options = ["is_disabled": true]
    }

    /// Writes a message; its number.
    public func send(_ text: String, to chat: Int64, _ keyboard: InlineKeyboard? = nil) async throws(Failure) -> Int64 {
        let message: Message = try await call("sendMessage", Sent(chat_id: chat, text: text, reply_markup: keyboard))
        return message.message_id
    }

    /// Writes a message anew, without buttons. That nothing changed is no failure.
    public func edit(_ message: Int64, in chat: Int64, _ text: String) async throws(Failure) {
        do {
            let _: Message = try await call("editMessageText", Sent(chat_id: chat, message_id: message, text: text))
        } catch .refused(400, let words) where words.contains("not modified") {
            return
        }
    }

    /// The tapped button may stop waiting; `words` are shown for a moment.
    public func answer(_ query: CallbackQuery, _ words: String) async throws(Failure) {
        struct Answer: Encodable {
            var callback_query_id: String
            var text: String
        }
        let _: Bool = try await call("answerCallbackQuery", Answer(callback_query_id: query.id, text: words))
    }

    private struct Envelope<Result: Decodable>: Decodable {
        struct Parameters: Decodable { var retry_after: Int? }
        var ok: Bool
        var result: Result?
        var error_code: Int?
        var description: String?
        var parameters: Parameters?
    }

    private func call<Result: Decodable>(
        _ method: String, _ body: some Encodable, limit: Duration = .seconds(20)
    ) async throws(Failure) -> Result {
        let bytes: [UInt8]
        do { bytes = try Array(JSONEncoder().encode(body)) } catch { throw .refused(0, "\(error)") }
        let answer: OutgoingAnswer
        do {
            answer = try await port.send(
                OutgoingCall(
                    "\(base)/bot\(token)/\(method)", headers: [("Content-Type", "application/json")], body: bytes,
                    limit: limit, answerLimit: 1_048_576, reach: .anywhere, httpsOnly: base.hasPrefix("https://")))
        } catch {
            throw .unreachable(error.description)
        }
        guard let envelope = try? JSONDecoder().decode(Envelope<Result>.self, from: Data(answer.body)) else {
            throw .unreachable("the answer (status \(answer.status)) is not of the Bot API")
        }
        if envelope.ok, let result = envelope.result { return result }
        let words = String((envelope.description ?? "no reason").prefix(200))
        switch envelope.error_code ?? answer.status {
        case 401, 404: throw .token
        case 409: throw .conflict
        case 429: throw .tooOften(seconds: min(max(envelope.parameters?.retry_after ?? 1, 1), 3600))
        case let code where code >= 500: throw .unreachable("\(code) \(words)")
        case let code: throw .refused(code, words)
        }
    }
}
