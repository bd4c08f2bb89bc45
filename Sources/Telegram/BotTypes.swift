/// What the Bot API tells and takes, as far as it is used here (https://core.telegram.org/bots/api, the objects of these
/// names).
public struct Update: Decodable, Sendable {
    /// Counts up; what is below the next `offset` is not told again.
    public var update_id: Int64
    /// Somebody wrote.
    public var message: Message?
    /// Somebody tapped a button.
    public var callback_query: CallbackQuery?

    private enum CodingKeys: String, CodingKey { case update_id, message, callback_query }

    /// What is not understood of it is left out: one strange update must not hold up those behind it.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        update_id = try fields.decode(Int64.self, forKey: .update_id)
        message = try? fields.decodeIfPresent(Message.self, forKey: .message)
        callback_query = try? fields.decodeIfPresent(CallbackQuery.self, forKey: .callback_query)
    }
}

/// A message in a chat.
public struct Message: Decodable, Sendable {
    /// A place where messages are.
    public struct Chat: Decodable, Sendable {
        /// Its number; negative for groups.
        public var id: Int64
    }

    /// What is known of a message that was answered.
    public struct Reference: Decodable, Sendable {
        /// Its number in the chat.
        public var message_id: Int64
    }

    /// Its number in the chat.
    public var message_id: Int64
    /// Where.
    public var chat: Chat
    /// What was written; nil for pictures and the like.
    public var text: String?
    /// The message to which this is a reply.
    public var reply_to_message: Reference?
}

/// A button was tapped.
public struct CallbackQuery: Decodable, Sendable {
    /// To be answered by it, so that the button stops waiting.
    public var id: String
    /// The message with the button.
    public var message: Message?
    /// What the button carries.
    public var data: String?
}

/// Buttons below a message.
public struct InlineKeyboard: Encodable, Hashable, Sendable {
    /// One button.
    public struct Button: Encodable, Hashable, Sendable {
        /// What is on it.
        public var text: String
        /// What comes back when it is tapped: at most 64 bytes.
        public var callback_data: String

        /// Both.
        public init(_ text: String, _ data: String) {
            self.text = text
            callback_data = data
        }
    }

    /// In rows.
    public var inline_keyboard: [[Button]]

    /// Each in a row of its own.
    public init(_ buttons: [Button]) { inline_keyboard = buttons.map { [$0] } }
}
