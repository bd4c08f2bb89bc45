/// A session with its messages, oldest first.
struct Conversation: Sendable {
    /// Most messages of one session; then it wants to be left for a new one.
    static let messageLimit = 2000

    /// The session.
    var session: Session
    /// Oldest first.
    private(set) var messages: [Message] = []

    /// Without messages.
    init(session: Session) { self.session = session }

    /// True when no further prompt fits.
    var isFull: Bool { messages.count + 2 > Self.messageLimit }

    /// How many words a message has.
    func words(of id: String) -> Int {
        let texts = messages.last { $0.info.id == id }?.parts.compactMap(\.text) ?? []
        return texts.reduce(0) { $0 + $1.split(whereSeparator: \.isWhitespace).count }
    }

    /// Inserts or replaces a message.
    mutating func put(_ info: MessageInfo) {
        if let index = messages.lastIndex(where: { $0.info.id == info.id }) {
            messages[index].info = info
        } else {
            messages.append(Message(info: info, parts: []))
        }
    }

    /// Inserts or replaces a part; one without its message is dropped.
    mutating func put(_ part: Part) {
        guard let index = messages.lastIndex(where: { $0.info.id == part.messageID }) else { return }
        if let place = messages[index].parts.lastIndex(where: { $0.id == part.id }) {
            messages[index].parts[place] = part
        } else {
            messages[index].parts.append(part)
        }
    }

    /// Removes a message with its parts.
    mutating func remove(_ id: String) { messages.removeAll { $0.info.id == id } }

    /// The newest `limit` messages older than `before`, and the cursor of the page before them.
    func page(limit: Int?, before: String?) -> (messages: [Message], next: String?) {
        let end = before.flatMap { id in messages.firstIndex { $0.info.id == id } } ?? messages.count
        let start = limit.map { max(0, end - $0) } ?? 0
        return (Array(messages[start..<end]), start > 0 ? messages[start].info.id : nil)
    }
}
