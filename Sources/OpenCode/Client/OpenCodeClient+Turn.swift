public import AgentModel

extension OpenCodeClient {
    /// Hands a turn over and tells what happens, to its end.
    public func runTurn(
        _ session: AgentSessionID, directory: String, prompt: Prompt, choice: TurnChoice,
        emit: @escaping @Sendable (AgentEvent) async throws -> Void
    ) async throws(AgentFailure) {
        // Events are collected before the prompt goes out, so that none is missed.
        let inbox = try openInbox(for: session.rawValue)
        defer { close(inbox, of: session.rawValue) }
        let id = PromptID.make()
        forgetLeft(session)
        let handOver = try await handOver(
            session, id: id, prompt: prompt, choice: choice, directory: directory, inbox)
        defer { handOver.call?.cancel() }
        let turn = Turn(
            session: session, directory: directory, inbox: inbox,
            reducer: TurnReducer(prompt: id, policy: policy, order: type(of: line).messageOrder),
            emit: emit)
        await tell(turn, isCertain: handOver.isCertain)
    }

    /// What was told of it before is not known here: the first look tells all that there is, and what was heard of blocks that
    /// grow goes on where it was.
    public func followTurn(
        _ session: AgentSessionID, directory: String, prompt: String,
        emit: @escaping @Sendable (AgentEvent) async throws -> Void
    ) async throws(AgentFailure) {
        let inbox = try openInbox(for: session.rawValue)
        defer { close(inbox, of: session.rawValue) }
        let turn = Turn(
            session: session, directory: directory, inbox: inbox,
            reducer: TurnReducer(prompt: prompt, policy: policy, order: type(of: line).messageOrder),
            emit: emit)
        await tell(turn, isCertain: false, heard: takeLeft(session, prompt: prompt))
    }

    /// To its end, or until nobody listens any more: then it goes on, and only its text is heard. `isCertain`: nothing of it
    /// was missed; `heard`: of blocks that grow.
    private func tell(_ turn: Turn, isCertain: Bool, heard: [String: TurnReducer.Block] = [:]) async {
        var turn = turn
        var heard = heard
        let inbox = turn.inbox
        let ticker = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: Limits.tick)
                inbox.tick()
            }
        }
        defer { ticker.cancel() }
        do {
            try await turn.emit(.turnStarted(prompt: turn.reducer.prompt))
            if !isCertain { try await perform(turn.reducer.missedEvents(at: turn.now, connectionLost: true), &turn) }
            let known = turn.reducer.recall(heard)
            heard = [:]
            try await perform(known, &turn)
            while !turn.reducer.isOver { try await handle(await inbox.next(), &turn) }
            if !turn.reducer.hasBegun { try? await line.withdraw(turn.reducer.prompt, of: turn.session) }
        } catch {
            // Whoever wants it stopped says so; whoever was cut off asks again.
            _ = turn.reducer.recall(heard)
            leave(turn.session, inbox, turn.reducer)
        }
    }

    /// A turn under way.
    struct Turn {
        let session: AgentSessionID
        let directory: String
        let inbox: TurnInbox
        var reducer: TurnReducer
        let emit: @Sendable (AgentEvent) async throws -> Void
        let start = ContinuousClock.now

        /// Since it began.
        var now: Duration { ContinuousClock.now - start }
    }

    private func handle(_ input: TurnInbox.Input, _ turn: inout Turn) async throws {
        let now = turn.now
        let steps =
            switch input {
            case .fact(let fact): turn.reducer.handle(fact, at: now)
            case .missed(let connectionLost): turn.reducer.missedEvents(at: now, connectionLost: connectionLost)
            case .back: turn.reducer.missedEvents(at: now, connectionLost: true)
            case .gone(let words): turn.reducer.gone(words)
            case .tick: turn.reducer.tick(at: now)
            case .cancelled: throw CancellationError()
            }
        try await perform(steps, &turn)
    }

    /// Steps may lead to further steps (a re-read that shows the end), never to a further re-read.
    private func perform(_ steps: [TurnReducer.Step], _ turn: inout Turn) async throws {
        for step in steps {
            switch step {
            case .emit(let event): try await turn.emit(await explained(event, directory: turn.directory))
            case .abort: try? await line.abort(turn.session, directory: turn.directory)
            // What comes of it is told by events, and by the next re-read.
            case .answerOverdue(let said):
                guard let fact = await answerOverdue(said, turn.directory) else { continue }
                try await perform(turn.reducer.handle(fact, at: turn.now), &turn)
            case .reread:
                for case .emit(let event) in await reread(&turn) {
                    try await turn.emit(await explained(event, directory: turn.directory))
                }
            }
        }
    }

    /// Whether the server took it; nil: that is not known, and the next re-read tells.
    private func answerOverdue(_ said: Answered, _ directory: String) async -> TurnFact? {
        do throws(AgentFailure) {
            let id = said.id
            if let reply = said.answer.reply {
                let asked = try await line.permissions(directory: directory).first { $0.ask.id == id }
                guard let asked else { return .notAnswered(said) }
                try await line.reply(toPermission: id, of: asked.session, reply, message: nil, directory: directory)
            } else {
                let asked = try await line.questions(directory: directory).first { $0.ask.id == id }
                guard let asked else { return .notAnswered(said) }
                try await line.reply(toQuestion: id, of: asked.session, nil, directory: directory)
            }
            return .taken(said)
        } catch {
            return error.code == .unknown ? .notAnswered(said) : nil
        }
    }

    /// Without any provider opencode says only that it did not find one.
    private func explained(_ event: AgentEvent, directory: String) async -> AgentEvent {
        guard case .turnEnded(.failed(let reason)) = event,
            let models = try? await line.models(directory: directory), models.isEmpty
        else { return policy.dated(event) }
        let words =
            "opencode has no model provider. \(AgentFailure.logIn), and send this again. \(reason)"
        return .turnEnded(.failed(reason: words))
    }

    private func reread(_ turn: inout Turn) async -> [TurnReducer.Step] {
        do throws(AgentFailure) {
            let session = turn.session.rawValue
            adopt(try await line.children(turn.session, directory: turn.directory), by: session)
            let prompt = turn.reducer.prompt
            var state = try await line.state(
                turn.session, family: family(of: session), since: prompt, directory: turn.directory)
            if turn.reducer.mayLackLists {
                state.facts += await line.lists(turn.session, since: prompt, directory: turn.directory)
            }
            // Whoever was answering while it was read, and what an event said of it, is known before it shows that nothing
            // waits any more.
            let waiting = Set(turn.reducer.pending.keys)
            let said = turn.inbox.takeSaid(to: waiting).flatMap { turn.reducer.handle($0, at: turn.now) }
            return said + turn.reducer.handle(state, at: turn.now)
        } catch {
            switch error.code {
            case .unavailable, .failed, .busy, .badRequest:
                return turn.reducer.rereadFailed(error.message, at: turn.now)
            case .refused, .unknown: return turn.reducer.denied(error.message)
            }
        }
    }
}
