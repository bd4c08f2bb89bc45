import Telegram
import WorkerKit

/// One chat: takes what is written in it to chat-bridge, and shows what comes back.
actor Conversation {
    /// Turns of a chat that are shown at a time.
    static let turnLimit = 16
    /// Before chat-bridge is asked again when it was away.
    static let pause: Duration = .seconds(1)
    /// Of words that are of this moment; an answer has no such limit.
    static let noticeTries = 8

    let chat: Int64
    private let api: BotAPI
    private let port: ChatPort
    private let remember: @Sendable (Int64, Memory.Chat) async -> Void
    private let pace: Pace
    private var memory: Memory.Chat
    /// What waits for an answer, by the name its buttons carry.
    private var asks: [String: (ask: Ask, message: Int64, turn: String)] = [:]
    private var turns: [String: Task<Void, Never>] = [:]

    init(
        chat: Int64, api: BotAPI, port: ChatPort, pause: Duration, memory: Memory.Chat,
        remember: @escaping @Sendable (Int64, Memory.Chat) async -> Void
    ) {
        self.chat = chat
        self.api = api
        self.port = port
        pace = Pace(interval: pause) { Log.warning("telegram: \($0)") }
        self.memory = memory
        self.remember = remember
    }

    /// Goes on with what was under way when this worker ended.
    func resume() { for open in memory.open { begin(open, accepted: {}) } }

    /// Ends what is shown; it goes on in the next life.
    func stop() async {
        for task in turns.values { task.cancel() }
        await pace.stop()
        for task in Array(turns.values) { await task.value }
    }

    /// Takes a message. Returns when it is stored, or answered otherwise: what comes after it must not overtake it.
    func take(_ message: Message, update: Int64) async {
        guard let text = message.text else {
            return await say("Only text is understood here; pictures and files go by the page.")
        }
        let replied = message.reply_to_message?.message_id
        if let (name, known) = asks.first(where: { $0.value.message == replied }) {
            guard let answer = known.ask.answer(written: text) else { return await say(known.ask.howToAnswer) }
            return await pass(answer, to: name)
        }
        // It comes again where its confirmation was lost, and is under way already.
        guard !memory.open.contains(where: { $0.client_id == Self.clientID(chat, update) }) else { return }
        switch Saying(text) {
        case .help: await say("What you write here goes to the agent. /new begins a session, /stop stops what runs.")
        case .new(let text):
            memory.session = nil
            await remember(chat, memory)
            guard let text else { return await say("The next message begins a new session.") }
            await send(text, update: update)
        case .stop(let text):
            await stopTurns(isAll: text == nil)
            if let text { await send(text, update: update) }
        case .message(let text): await send(text, update: update)
        }
    }

    /// Takes a tap.
    func take(_ query: CallbackQuery) async {
        let words = (query.data ?? "").split(separator: ":", maxSplits: 1).map(String.init)
        guard words.count == 2, let ask = asks[words[0]]?.ask, let answer = ask.answer(tapped: words[1]) else {
            return await confirm(query, "This is not waited for any more.")
        }
        await confirm(query, "")
        await pass(answer, to: words[0])
    }

    private func confirm(_ query: CallbackQuery, _ words: String) async {
        // Not paced: it is no message, and the button waits for it.
        do { try await api.answer(query, words) } catch { Log.debug("telegram: \(error)") }
    }

    private func say(_ text: String) async {
        let (api, chat) = (api, chat)
        _ = await pace.call(tries: Self.noticeTries) { () async throws(BotAPI.Failure) in
            try await api.send(text, to: chat)
        }
    }

    /// `isAll`: nothing else is wanted, so that it is said when nothing was there to stop.
    private func stopTurns(isAll: Bool) async {
        do {
            let count = if let session = memory.session { try await port.abort(session) } else { 0 }
            if count == 0, isAll { await say("Nothing runs.") }
        } catch {
            await say("Not stopped: \(error)")
        }
    }

    private func pass(_ answer: Ask.Answer, to name: String) async {
        guard let ask = asks[name]?.ask else { return }
        do {
            try await port.answer(answer, to: ask)
        } catch {
            await say("Not answered: \(error)")
        }
    }

    // MARK: - Turns

    private func send(_ text: String, update: Int64) async {
        guard turns.count < Self.turnLimit else {
            return await say("\(turns.count) messages wait already: this one was not taken. Send it again later.")
        }
        let open = Memory.Open(client_id: Self.clientID(chat, update), text: text, session: memory.session)
        guard turns[open.client_id] == nil else { return }
        let (accepted, signal) = AsyncStream<Void>.makeStream()
        begin(open) { signal.finish() }
        for await _ in accepted {}
    }

    private static func clientID(_ chat: Int64, _ update: Int64) -> String { "telegram-\(chat)-\(update)" }

    private func begin(_ open: Memory.Open, accepted: @escaping @Sendable () -> Void) {
        turns[open.client_id] = Task {
            await self.follow(open, accepted)
            accepted()
            self.turns[open.client_id] = nil
        }
    }

    private func follow(_ open: Memory.Open, _ accepted: @Sendable () -> Void) async {
        let view = AnswerView(chat: chat, api: api, pace: pace, messages: open.messages) { messages in
            await self.note(open.client_id) { $0.messages = messages }
        }
        var isTold = memory.open.contains { $0.client_id == open.client_id }
        while !Task.isCancelled {
            do {
                if try await hear(open, view, accepted) { return await forget(open.client_id) }
            } catch let error as BusError
                where ![.unavailable, .peerRestarted, .timeout, .busy, .cut].contains(error.code)
            {
                await say("Not taken: \(error.message)")
                return await forget(open.client_id)
            } catch {
                if Task.isCancelled { return }
            }
            if !isTold, !memory.open.contains(where: { $0.client_id == open.client_id }) {
                isTold = true
                // Where Telegram is away too, the message does not wait for that.
                Task { await say("The chat is away. Your message waits and goes when it is back.") }
            }
            // chat-bridge is away, or was: the same message under the same id is told again from its beginning.
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Sends, and shows what comes; true at the end of the turn.
    private func hear(
        _ open: Memory.Open, _ view: AnswerView, _ accepted: @Sendable () -> Void
    ) async throws -> Bool {
        await view.beginAnew()
        for try await frame in try await port.send(open) {
            guard let line = ChatLine(json: frame) else { continue }
            if line.type == "accepted" {
                await keep(open, in: line.session)
                accepted()
            }
            await show(line, view, of: open.client_id)
            guard line.type == "ended" else { continue }
            guard await view.finish() else { return false }
            // What it asked is not waited for any more.
            let left = asks.values.filter { $0.turn == open.client_id }.map(\.ask.id)
            for id in left { await close(id, "over") }
            return !Task.isCancelled
        }
        return false
    }

    private func show(_ line: ChatLine, _ view: AnswerView, of turn: String) async {
        if let ask = Ask(line) { return await put(ask, of: turn) }
        if line.type == "answered", let id = line.id { return await close(id, line.answer ?? "answered") }
        await view.take(line)
    }

    private func put(_ ask: Ask, of turn: String) async {
        guard !asks.values.contains(where: { $0.ask == ask }) else { return }
        // Of this life only: a button of an earlier one means nothing.
        let name = String(UInt64.random(in: 0 ... .max), radix: 36)
        let (api, chat) = (api, chat)
        let outcome = await pace.call { () async throws(BotAPI.Failure) in
            try await api.send(ask.text, to: chat, ask.keyboard(name))
        }
        if case .done(let message) = outcome { asks[name] = (ask, message, turn) }
    }

    /// What became of it (docs/chat.md, `answered`), in the page's words.
    private static let outcomes = [
        "once": "allowed once", "always": "always allowed", "reject": "not allowed", "answered": "answered",
        "dismissed": "put aside", "unknown": "not waited for any more",
    ]

    private func close(_ id: String, _ answer: String) async {
        guard let (name, known) = asks.first(where: { $0.value.ask.id == id }) else { return }
        asks[name] = nil
        let (api, chat) = (api, chat)
        let words = Self.outcomes[answer] ?? "over"
        _ = await pace.call { () async throws(BotAPI.Failure) in
            try await api.edit(known.message, in: chat, "\(known.ask.text)\n\n→ \(words)")
        }
    }

    // MARK: - Memory

    private func keep(_ open: Memory.Open, in session: String?) async {
        // A session that was begun meanwhile by /new stays the newest.
        if open.session == nil, memory.session == nil { memory.session = session }
        if !memory.open.contains(where: { $0.client_id == open.client_id }) { memory.open.append(open) }
        await remember(chat, memory)
    }

    private func note(_ id: String, _ change: (inout Memory.Open) -> Void) async {
        guard let index = memory.open.firstIndex(where: { $0.client_id == id }) else { return }
        change(&memory.open[index])
        await remember(chat, memory)
    }

    private func forget(_ id: String) async {
        memory.open.removeAll { $0.client_id == id }
        await remember(chat, memory)
    }
}
