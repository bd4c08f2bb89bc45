import Telegram

/// One turn as messages of a chat: the newest text is written as often as the pace of the chat allows, and whole at the
/// end.
actor AnswerView {
    private let chat: Int64
    private let api: BotAPI
    private let pace: Pace
    private let wrote: @Sendable ([Int64]) async -> Void
    private var text = TurnText()
    private var messages: [Int64]
    private var shown: [String]
    private var showing: Task<Void, Never>?

    /// `messages` are those of an earlier life; `wrote` hears which there are.
    init(
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
    func beginAnew() { text = TurnText() }

    /// Takes an event in; it is shown soon.
    func take(_ line: ChatLine) {
        text.take(line)
        if showing == nil { showing = Task { await self.show() } }
    }

    /// Returns when everything is shown.
    func finish() async {
        while let showing { await showing.value }
    }

    private func show() async {
        // Written until what is shown is what there is: meanwhile more may have come.
        while await showNext() {}
        showing = nil
    }

    /// Brings one message up to date; false when all are.
    private func showNext() async -> Bool {
        let pages = AnswerPages.of(text.shown)
        for (index, page) in pages.enumerated() where index >= shown.count || shown[index] != page {
            let (api, chat) = (api, chat)
            if index < messages.count {
                let message = messages[index]
                shown[index] = page
                _ = await pace.call { () async throws(BotAPI.Failure) in try await api.edit(message, in: chat, page) }
            } else {
                let sent = await pace.call { () async throws(BotAPI.Failure) in try await api.send(page, to: chat) }
                // Telegram takes it not at all: it would take it no better the next time.
                guard let sent else { return false }
                messages.append(sent)
                shown.append(page)
                await wrote(messages)
            }
            return true
        }
        return false
    }
}
