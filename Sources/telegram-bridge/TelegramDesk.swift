import Telegram
import WorkerKit

/// Asks for what happened, and gives it to the chats it is of.
actor TelegramDesk {
    /// Pauses after a failure, doubled from the first to the last.
    static let pauses: ClosedRange<Duration> = .seconds(1) ... .seconds(30)
    /// Chats that were turned away and named in the log.
    static let strangerLimit = 64

    private let settings: Settings
    private let api: BotAPI
    private let port: ChatPort
    private let status: @Sendable (String) -> Void
    private var memory: Memory
    private var chats: [Int64: Conversation] = [:]
    private var strangers: Set<Int64> = []
    private var polling: Task<Void, Never>?
    private var isStopping = false

    init(settings: Settings, api: BotAPI, port: ChatPort, status: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.api = api
        self.status = status
        self.port = port
        memory = Memory.read(settings.directory)
    }

    /// Until its task is cancelled or it is stopped.
    func run() async {
        for id in settings.chats {
            let chat = Conversation(
                chat: id, api: api, port: port, pause: settings.pause, memory: memory.chats[String(id)] ?? Memory.Chat()
            ) { [weak self] chat, memory in await self?.remember(chat, memory) }
            chats[id] = chat
            await chat.resume()
        }
        let polling = Task { await self.poll() }
        self.polling = polling
        await withTaskCancellationHandler {
            await polling.value
        } onCancel: {
            polling.cancel()
        }
    }

    /// Takes nothing more; what is under way is gone on with in the next life.
    func stop() async {
        isStopping = true
        polling?.cancel()
        for chat in chats.values { await chat.stop() }
    }

    private func poll() async {
        var offset: Int64 = 0
        var pause = Self.pauses.lowerBound
        var isNamed = false
        status("asking Telegram")
        while !Task.isCancelled {
            do throws(BotAPI.Failure) {
                if !isNamed {
                    status("listening as @\(try await api.me()) to \(chats.count) chat\(chats.count == 1 ? "" : "s")")
                    isNamed = true
                }
                // An update is confirmed by asking for those behind it: only when it is stored, or answered.
                for update in try await api.updates(from: offset) where !Task.isCancelled {
                    await take(update)
                    if !isStopping { offset = update.update_id + 1 }
                }
                pause = Self.pauses.lowerBound
            } catch {
                if Task.isCancelled { return }
                isNamed = false
                status("\(error)")
                if case .tooOften(let seconds) = error { pause = max(pause, .seconds(seconds)) }
                if case .token = error { pause = Self.pauses.upperBound }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, Self.pauses.upperBound)
            }
        }
    }

    private func take(_ update: Update) async {
        guard let id = (update.message ?? update.callback_query?.message)?.chat.id else { return }
        guard let chat = chats[id] else { return turnAway(id) }
        if let message = update.message { await chat.take(message, update: update.update_id) }
        if let query = update.callback_query { await chat.take(query) }
    }

    private func turnAway(_ chat: Int64) {
        guard strangers.count < Self.strangerLimit, strangers.insert(chat).inserted else { return }
        Log.notice("access: chat \(chat) is not in NEXUS_TELEGRAM_CHATS; what it writes is not read")
    }

    private func remember(_ chat: Int64, _ memory: Memory.Chat) {
        guard self.memory.chats[String(chat)] != memory else { return }
        self.memory.chats[String(chat)] = memory
        do {
            try self.memory.write(settings.directory)
        } catch {
            Log.error("what is under way is not remembered over a restart: \(settings.directory): \(error)")
        }
    }
}
