extension TurnRunner {
    /// Before an errand is tried again that the agent could not be asked for.
    static let errandPause: Duration = .seconds(5)

    /// Has the agent do what it is still to do to its sessions, in order; those it says no to are given up, with words.
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

    private func doErrands() async {
        while !Task.isCancelled, let errand = try? await store.nextErrand() {
            do {
                if let title = errand.title {
                    try await agent.rename(session: errand.session, to: title)
                } else {
                    try await agent.remove(session: errand.session)
                }
            } catch let error as AgentError where error.code == .notDelivered {
                try? await Task.sleep(for: Self.errandPause)
                continue
            } catch is CancellationError {
                return
            } catch {
                let what = errand.title == nil ? "delete its copy of a session" : "give its session a new title"
                complain("the agent did not \(what): \(error)")
            }
            // With the disk full it is done once more later, which changes nothing.
            guard (try? await store.finish(errand)) != nil else { return }
        }
    }
}
