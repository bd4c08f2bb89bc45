/// The way to one chat: one call at a time, with a pause between them, because Telegram takes about a message a second
/// in a chat, and says so (429) when it is too many.
///
/// What does not go through is tried again until it does, however long Telegram is away: each turn that is shown has one call
/// here at a time, so what waits is bounded by them.
public actor Pace {
    /// What became of a call.
    public enum Outcome<Result: Sendable>: Sendable {
        /// It went through.
        case done(Result)
        /// Telegram does not want it, or its tries are used up; which is logged. It would go no better the next time.
        case notTaken
        /// This worker ends: nobody knows whether it went through.
        case stopped
    }

    private let interval: Duration
    private let longest: Duration
    private let complain: @Sendable (String) -> Void
    private var free = ContinuousClock.now
    private var last: Task<Void, Never>?
    private var lastNumber = 0
    private var waiting: [Int: @Sendable () -> Void] = [:]
    private var isStopped = false

    /// - Parameters:
    ///   - interval: between two calls, and after the first failure; doubled after each further one …
    ///   - longest: … up to this.
    ///   - complain: hears what the owner should read in the log.
    public init(
        interval: Duration, longest: Duration = .seconds(30), complain: @escaping @Sendable (String) -> Void
    ) {
        self.interval = interval
        self.longest = max(interval, longest)
        self.complain = complain
    }

    /// Makes a call when it is its turn; what does not go through is tried again, `tries` times in all.
    public func call<Result: Sendable>(
        tries: Int = .max, _ body: @escaping @Sendable () async throws(BotAPI.Failure) -> Result
    ) async -> Outcome<Result> {
        if isStopped { return .stopped }
        let before = last
        let own = Task { () -> Outcome<Result> in
            await before?.value
            return await self.attempt(tries, body)
        }
        last = Task { _ = await own.value }
        lastNumber += 1
        let number = lastNumber
        waiting[number] = { own.cancel() }
        defer { waiting[number] = nil }
        return await withTaskCancellationHandler {
            await own.value
        } onCancel: {
            own.cancel()
        }
    }

    /// Ends all calls: none that waits is made any more.
    public func stop() {
        isStopped = true
        for cancel in waiting.values { cancel() }
    }

    private func attempt<Result: Sendable>(
        _ tries: Int, _ body: @Sendable () async throws(BotAPI.Failure) -> Result
    ) async -> Outcome<Result> {
        var pause = interval
        var isTold = false
        for _ in 0..<tries {
            do { try await Task.sleep(until: free) } catch { return .stopped }
            do throws(BotAPI.Failure) {
                let result = try await body()
                free = .now + interval
                return .done(result)
            } catch {
                if Task.isCancelled { return .stopped }
                switch error {
                case .refused:
                    free = .now + interval
                    complain("\(error)")
                    return .notTaken
                case .tooOften(let seconds): free = .now + .seconds(seconds)
                // An owner who gives the right token begins this worker anew: what is under way is gone on with then.
                case .unreachable, .conflict, .token:
                    free = .now + pause
                    if pause == longest, !isTold {
                        isTold = true
                        complain("\(error); a message waits until it is taken")
                    }
                    pause = min(pause * 2, longest)
                }
            }
        }
        complain("a message was not written: \(tries) tries failed")
        return .notTaken
    }
}
