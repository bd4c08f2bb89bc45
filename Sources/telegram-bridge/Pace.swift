import Telegram
import WorkerKit

/// The way to one chat: one call at a time, with a pause between them, because Telegram takes about a message a second
/// in a chat, and says so (429) when it is too many.
actor Pace {
    /// Tries of one call.
    static let tryLimit = 8

    private let interval: Duration
    private var free = ContinuousClock.now
    private var last: Task<Void, Never>?

    /// `interval`: between two calls.
    init(interval: Duration) { self.interval = interval }

    /// Makes a call when it is its turn; what does not go through is tried again. Nil: it is given up, which is logged.
    func call<Result: Sendable>(
        _ body: @escaping @Sendable () async throws(BotAPI.Failure) -> Result
    ) async -> Result? {
        let before = last
        let own = Task { () -> Result? in
            await before?.value
            return await self.attempt(body)
        }
        last = Task { _ = await own.value }
        return await withTaskCancellationHandler {
            await own.value
        } onCancel: {
            own.cancel()
        }
    }

    private func attempt<Result: Sendable>(
        _ body: @Sendable () async throws(BotAPI.Failure) -> Result
    ) async -> Result? {
        for round in 0..<Self.tryLimit {
            do { try await Task.sleep(until: free) } catch { return nil }
            var pause = interval
            defer { free = .now + pause }
            do throws(BotAPI.Failure) {
                return try await body()
            } catch {
                switch error {
                case .tooOften(let seconds): pause = .seconds(seconds)
                case .unreachable, .conflict: pause = min(.seconds(1 << round), .seconds(30))
                case .token, .refused:
                    Log.warning("telegram: \(error)")
                    return nil
                }
                if Task.isCancelled { return nil }
            }
        }
        Log.warning("telegram: a message could not be written: \(Self.tryLimit) tries failed")
        return nil
    }
}
