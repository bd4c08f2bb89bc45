import WorkerKit

/// Counts the turns that run, so that opencode is recycled between two of them.
actor Turns {
    private var running = 0
    private var isWanted = false
    private let recycle: @Sendable () async -> Void

    /// `recycle` asks nexusd.
    init(recycle: @escaping @Sendable () async -> Void) { self.recycle = recycle }

    /// A turn, from its start to its end, whichever that is.
    func run<Failure: Error>(
        _ turn: @Sendable () async throws(Failure) -> Void
    ) async throws(Failure) {
        running += 1
        do {
            try await turn()
        } catch {
            await ended()
            throw error
        }
        await ended()
    }

    /// opencode has grown too large: now when nothing runs, else after the last turn.
    func wantRecycling() async {
        isWanted = true
        await recycleWhenIdle()
    }

    private func ended() async {
        running -= 1
        await recycleWhenIdle()
    }

    private func recycleWhenIdle() async {
        guard isWanted, running == 0 else { return }
        isWanted = false
        await recycle()
    }
}
