/// What must not come between each other in a session, in the order in which it came: a message that is stored, and a change
/// of what the agent remembers, which looks, asks the agent and writes.
///
/// Who waits are requests, of which the bus and the page let in so many; a change ends with the agent's answer, or the limit
/// of asking for it.
actor SessionLock {
    /// Of each session that somebody has: who waits for it.
    private var waiters: [SessionID: [CheckedContinuation<Void, Never>]] = [:]

    /// Runs `body` while nobody else is in the session.
    nonisolated func alone<Value: Sendable>(
        in session: SessionID, _ body: @Sendable () async throws -> Value
    ) async rethrows -> Value {
        await enter(session)
        do {
            let value = try await body()
            await leave(session)
            return value
        } catch {
            await leave(session)
            throw error
        }
    }

    private func enter(_ session: SessionID) async {
        guard waiters[session] != nil else {
            waiters[session] = []
            return
        }
        await withCheckedContinuation { waiters[session, default: []].append($0) }
    }

    /// Hands it on.
    private func leave(_ session: SessionID) {
        guard let next = waiters[session]?.first else {
            waiters[session] = nil
            return
        }
        waiters[session]?.removeFirst()
        next.resume()
    }
}
