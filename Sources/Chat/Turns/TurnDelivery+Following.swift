import AgentModel
import GRDB

/// A turn that the agent has goes on, whoever of those between it and the store has ended meanwhile.
extension TurnDelivery {
    /// When a turn counts as lost.
    struct Patience: Sendable {
        /// How long the way to the agent may be gone, each time.
        var gap: Duration = .seconds(20)
        /// Before the agent is asked for it again.
        var pause: Duration = .milliseconds(250)
        /// How often the way may break in one turn.
        var breaks = 20
    }

    /// What a turn is told whose agent does not know of it after chat-bridge has begun anew.
    static let restart = AgentError(.lost, "chat-bridge restarted while the agent was answering")

    /// Has the agent tell all of a turn once more, stores what is new of that, and follows it to its end. Throws `loss` where the
    /// agent does not know of it, or cannot be asked for too long.
    func follow(
        _ id: AgentSessionID, _ prompt: String, _ message: ChatTurn, _ writer: TurnWriter, orElse loss: AgentError,
        stop: @Sendable () async -> Stop?
    ) async throws -> TurnOutcome? {
        for _ in 0..<patience.breaks {
            var limit = ContinuousClock.now + patience.gap
            var isHeard = false
            while !isHeard {
                // By somebody's order: what comes back by itself is waited for. Asked first, since the bus waits for a worker that
                // is not there.
                if let why = await agent.whyGone() { throw AgentError(.lost, why) }
                do {
                    // It is compared with what is stored.
                    try await writer.settle()
                    var known = KnownTurn(try await store.blocks(of: message))
                    for try await event in try await agent.followTurn(session: id, prompt: prompt) {
                        isHeard = true
                        if case .turnEnded(let outcome) = event { return outcome }
                        guard let what = ChatEvent.What(event), let news = known.news(what) else { continue }
                        try await writer.append(named(news, stop: await stop()))
                    }
                } catch let error as AgentError {
                    switch error.code {
                    case .lost, .notDelivered: break
                    case .unknownSession, .unknownRequest, .failed: throw loss
                    }
                } catch let error as DatabaseError where StoreFailure.isPassing(error) {
                    try await storeAgain(writer, prompt, after: error, stop: stop)
                    // The way to the agent has nothing to do with it.
                    limit = ContinuousClock.now + patience.gap
                    continue
                }
                // What was heard ends this gap, however long ago it began; the next one has a limit of its own.
                guard isHeard || ContinuousClock.now < limit else { throw loss }
                try await Task.sleep(for: patience.pause)
            }
        }
        throw loss
    }

    /// Waits until what could not be stored is, or somebody stops the turn: then it throws. The agent goes on meanwhile, and is
    /// not listened to, since nothing is told that will not be stored; it tells it once more.
    func storeAgain(
        _ writer: TurnWriter, _ prompt: String, after failure: DatabaseError, stop: @Sendable () async -> Stop?
    ) async throws {
        var failure = failure
        var told: String?
        while true {
            let why = StoreFailure.words(failure, path: store.path)
            if why != told { await hub.mention(.notice(Self.pause(why, failure)), turn: turn, in: session) }
            told = why
            try await Task.sleep(for: Self.storePause)
            if await stop() != nil { throw failure }
            do {
                try await store.setPrompt(prompt, of: turn)
                return try await writer.again()
            } catch let error as DatabaseError where StoreFailure.isPassing(error) {
                failure = error
            }
        }
    }

    private static func pause(_ why: String, _ error: any Error) -> String {
        let wish = StoreFailure.isNoRoom(error) ? "waits for room" : "waits for that"
        return "\(why). What the agent says \(wish); it goes on with this turn meanwhile, until you stop it."
    }
}
