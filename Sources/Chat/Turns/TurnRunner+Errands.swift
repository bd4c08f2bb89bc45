extension TurnRunner {
    /// Before an errand is tried again that the agent could not be asked for.
    static let errandPause: Duration = .seconds(5)

    /// Has the agent do what it is still to do to its sessions: stop first, then in order the errands; those it says no to are given up, with words.
    public func runErrands() {
        hasNewErrands = true
        guard errands == nil, !isStopping else { return }
        errands = Task {
            // One may come while the last look says that there is none.
            while self.hasNewErrands {
                self.hasNewErrands = false
                await self.doErrands()
            }
            self.errands = nil
        }
    }

    /// Stops at the agent what it may still do in a session of a turn that has ended here. One at a time, so that none
    /// stops the turn after that: who hands one over waits here first.
    func settle(_ session: SessionID) async throws {
        if let task = settling[session] { return try await task.value }
        let task = Task {
            guard let left = try await store.atWork(in: session).first else { return }
            if let own = left.agent {
                try await carry("stop what it still did in a session") { try await agent.abort(session: own) }
            }
            try await store.rests(session)
        }
        settling[session] = task
        defer { settling[session] = nil }
        try await task.value
    }

    /// All of them, as far as that can be done in the time.
    func settleAll(within limit: Duration) async {
        guard let left = try? await store.atWork(), !left.isEmpty else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for left in left { try? await self.settle(left.session) }
            }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func doErrands() async {
        while !Task.isCancelled {
            do {
                for left in try await store.atWork() { try await settle(left.session) }
                guard let errand = try await store.nextErrand() else { return }
                try await carryOut(errand)
            } catch let error as AgentError where error.code == .notDelivered {
                try? await Task.sleep(for: Self.errandPause)
            } catch {
                // With the disk full it is done once more later, which changes nothing.
                return
            }
        }
    }

    private func carryOut(_ errand: Errand) async throws {
        if let title = errand.title {
            try await carry("give its session a new title") {
                try await agent.rename(session: errand.session, to: title)
            }
        } else {
            try await carry("delete its copy of a session") { try await agent.remove(session: errand.session) }
        }
        try await store.finish(errand)
    }

    /// What the agent says no to is given up, with words; one that cannot be asked throws.
    private func carry(_ what: String, _ ask: () async throws -> Void) async throws {
        do { try await ask() } catch let error as AgentError where error.code != .notDelivered {
            complain("the agent did not \(what): \(error)")
        }
    }
}
