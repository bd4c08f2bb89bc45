/// One turn as messages of a chat: the newest text is written as often as the pace of the chat allows, and whole at the
/// end.
public actor AnswerView {
    private let chat: Int64
    private let api: BotAPI
    private let pace: Pace
    private let wrote: @Sendable ([Int64]) async -> Void
    private var text = TurnText()
    private var messages: [Int64]
    private var shown: [String]
    private var showing: Task<Void, Never>?
    private var isStopped = false

    /// `messages` are those of an earlier life; `wrote` hears which there are.
    public init(
        chat: Int64, api: BotAPI, pace: Pace, messages: [Int64], wrote: @escaping @Sendable ([Int64]) async -> Void
    ) {
        self.chat = chat
        self.api = api
        self.pace = pace
        self.messages = messages
        self.wrote = wrote
        // What stands there is not known any more.
        shown = messages.map { _ in "" }
    }

    /// The turn is told from its beginning again.
    public func beginAnew() { text = TurnText() }

    /// Takes an event in; it is shown soon.
    public func take(_ line: ChatLine) {
        text.take(line)
        if showing == nil { showing = Task { await self.show() } }
    }

    /// Returns when everything is shown, however long Telegram is away. False: this worker ends, and it is not.
    public func finish() async -> Bool {
        while let showing { await showing.value }
        return !isStopped
    }

    private func show() async {
        // Written until what is shown is what there is: meanwhile more may have come.
        while await showNext() {}
        showing = nil
    }

    /// Brings one message up to date; false when all are, or no more can be.
    private func showNext() async -> Bool {
        let pages = AnswerPages.of(text.shown)
        for (index, page) in pages.enumerated() where index >= shown.count || shown[index] != page {
            return index < messages.count ? await edit(index, page) : await send(page)
        }
        return false
    }

    private func edit(_ index: Int, _ page: String) async -> Bool {
        let (api, chat, message) = (api, chat, messages[index])
        switch await pace.call({ () async throws(BotAPI.Failure) in try await api.edit(message, in: chat, page) }) {
        // Who took the message away does not want it.
        case .done, .notTaken:
            shown[index] = page
            return true
        case .stopped:
            isStopped = true
            return false
        }
    }

    private func send(_ page: String) async -> Bool {
        let (api, chat) = (api, chat)
        switch await pace.call({ () async throws(BotAPI.Failure) in try await api.send(page, to: chat) }) {
        case .done(let sent):
            messages.append(sent)
            shown.append(page)
            await wrote(messages)
            return true
        case .notTaken: return false
        case .stopped:
            isStopped = true
            return false
        }
    }
}
