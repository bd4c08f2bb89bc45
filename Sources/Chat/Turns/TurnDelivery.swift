import AgentModel
import Foundation
import GRDB

/// One turn on its way: the agent's session is made sure of, the turn is marked as running, then it is handed over, and
/// what comes is stored. Whatever happens, the turn is queued again (certainly not seen by the agent), over, or with the agent
/// for the next chat-bridge to go on with.
struct TurnDelivery {
    let turn: TurnID
    let session: SessionID
    let store: ChatStore
    let hub: EventHub
    let agent: any AgentPort
    let ceiling: DailyCeiling
    let sayings: Sayings
    /// How long a way that broke is waited for.
    var patience = Patience()
    /// Returns when the agent does nothing in the session any more.
    let settle: @Sendable () async throws -> Void
    /// From the moment the store says that the turn runs.
    private var isTakenUp = false

    init(
        turn: TurnID, session: SessionID, store: ChatStore, hub: EventHub, agent: any AgentPort, ceiling: DailyCeiling,
        sayings: Sayings, settle: @escaping @Sendable () async throws -> Void
    ) {
        self.settle = settle
        self.turn = turn
        self.session = session
        self.store = store
        self.hub = hub
        self.agent = agent
        self.ceiling = ceiling
        self.sayings = sayings
    }

    /// Before what could not be stored is stored again.
    static let storePause: Duration = .seconds(1)

    enum Outcome: Sendable {
        case over
        /// The agent has it, and the next chat-bridge goes on with it.
        case left
        case notDelivered(why: String)
    }

    /// Why a delivery is cancelled.
    enum Stop: Hashable, Sendable {
        /// The user wants it, with these words for the record.
        case asked(String)
        /// chat-bridge ends.
        case shutdown
        /// It ends because nexusd did: the turn does not.
        case left
    }

    /// `stop` tells why the task was cancelled, or why the agent was asked to stop; nil if neither.
    mutating func run(stop: @Sendable () async -> Stop?) async -> Outcome {
        let writer = TurnWriter(turn: turn, session: session, store: store, hub: hub)
        do {
            guard let message = try await store.turn(turn) else { return .over }
            let outcome = try await deliver(message, writer, stop: stop)
            if outcome == nil, await stop() == .left { return .left }
            let (state, reason) = Self.judge(outcome, stop: await stop())
            let refused = outcome == .done ? await writer.refused : nil
            if let outcome, await stop() == nil { try? await settleAnswers(writer, after: outcome) }
            // Whoever refused sees nothing come after it, and would wait.
            if let refused { try? await writer.append(.notice(Self.silence(after: refused))) }
            return await conclude(writer, state, reason, byTheAgent: outcome != nil, stop: stop)
        } catch let error as AgentError where error.code == .notDelivered {
            return .notDelivered(why: "the agent cannot be reached: \(error)")
        } catch {
            let given = await stop()
            if !isTakenUp, given == .shutdown || given == .left {
                return .notDelivered(why: "chat-bridge is stopping")
            }
            if given == .left {
                // In a task of its own: this one is cancelled.
                await Task { try? await writer.settle() }.value
                return .left
            }
            if !isTakenUp, given == nil, StoreFailure.isPassing(error) {
                return .notDelivered(why: StoreFailure.words(error, path: store.path))
            }
            let (state, reason) = judge(error, stop: given)
            return await conclude(writer, state, reason, byTheAgent: false, stop: stop)
        }
    }

    private mutating func deliver(
        _ message: ChatTurn, _ writer: TurnWriter, stop: @Sendable () async -> Stop?
    ) async throws -> TurnOutcome? {
        let (known, workspace) = try await store.agentSession(of: session)
        if message.state == .running, let prompt = message.prompt, let known {
            isTakenUp = true
            return try await follow(known, prompt, message, writer, orElse: Self.restart, stop: stop)
        }
        // It was taken before the ceiling was reached, and waited.
        if let why = ceiling.refusal(of: try await store.spentToday(), at: Date()) { return .failed(reason: why) }
        let id: AgentSessionID
        if let known { id = known } else { id = try await openSession(message, workspace) }
        // What it may still do of a turn that ended here is stopped first: its questions would look like this one's.
        try await settle()
        try await store.takeUp(turn)
        isTakenUp = true
        do {
            return try await attempt(id, workspace, message, writer, stop: stop)
        } catch let error as AgentError where error.code == .unknownSession && known != nil {
            // The agent said that it has not seen the turn. Its session went with its memory.
            try await writer.append(
                .notice(
                    "the agent does not know this session any more: it begins anew and remembers nothing said before"))
            let new = try await openSession(message, workspace)
            return try await attempt(new, workspace, message, writer, stop: stop)
        } catch let error as AgentError where error.code == .notDelivered {
            try await store.putBack(turn)
            isTakenUp = false
            throw error
        }
    }

    private func openSession(_ message: ChatTurn, _ workspace: String?) async throws -> AgentSessionID {
        let title = message.text.split(separator: "\n").first.map { String($0.prefix(60)) } ?? "chat"
        let id = try await agent.openSession(title: title, workspace: workspace)
        do {
            try await store.setAgentSession(id, of: session)
        } catch {
            // A store without room is tried again and again: each try would leave a session there that nobody knows.
            try? await agent.remove(session: id)
            throw error
        }
        return id
    }

    /// Hands over and follows to the end. Nil: the stream ended without the word that the turn is over.
    private func attempt(
        _ id: AgentSessionID, _ workspace: String?, _ message: ChatTurn, _ writer: TurnWriter,
        stop: @Sendable () async -> Stop?
    ) async throws -> TurnOutcome? {
        var hasBegun = false
        var prompt: String?
        do {
            let events = try await agent.runTurn(
                session: id, workspace: workspace, text: message.text, files: try files(of: message),
                choice: message.choice)
            for try await event in events {
                let isFirst = !hasBegun
                hasBegun = true
                if case .turnStarted(let id?) = event { prompt = id }
                if isFirst { try await writer.append(.started) }
                if case .turnStarted(let id?) = event { try await store.setPrompt(id, of: turn) }
                if case .turnEnded(let outcome) = event { return outcome }
                guard let what = ChatEvent.What(event) else { continue }
                try await writer.append(named(what, stop: await stop()))
            }
            return nil
        } catch let error as AgentError where hasBegun {
            // After the first event no error says any more that the agent has not seen the turn.
            guard error.code != .failed, let prompt else {
                throw AgentError(error.code == .failed ? .failed : .lost, error.message)
            }
            // The way to the agent is gone, and the agent perhaps not.
            let loss = AgentError(.lost, error.message)
            return try await follow(id, prompt, message, writer, orElse: loss, stop: stop)
        } catch let error as DatabaseError where StoreFailure.isPassing(error) {
            guard let prompt else { throw error }
            try await storeAgain(writer, prompt, after: error, stop: stop)
            let words = StoreFailure.words(error, path: store.path)
            let loss = AgentError(
                .lost, "the agent does not know this turn any more, of which it was not heard: \(words)")
            return try await follow(id, prompt, message, writer, orElse: loss, stop: stop)
        }
    }

    /// With who answered, and what. What waited in a turn that the user stopped was ended by that, and by nobody else.
    func named(_ what: ChatEvent.What, stop: Stop?) -> ChatEvent.What {
        guard case .answered(var answered) = what else { return what }
        if answered.answer == .unknown, case .asked = stop { answered.by = .user }
        return .answered(sayings.name(answered, in: session))
    }

    private func files(of message: ChatTurn) throws -> [FileToSend] {
        try message.attachments.map { file in
            let path = try store.path(ofAttachment: file.id)
            let handle = FileHandle(forReadingAtPath: path)
            defer { try? handle?.close() }
            // One that is not there is said where it is sent.
            if let handle, try !file.isWhole(handle) {
                throw AgentError(
                    .failed,
                    "the content of \(file.name) is damaged on this machine's disk, and nothing was handed over; attach it again and "
                        + "send the message anew")
            }
            return FileToSend(
                about: AttachedFile(name: file.name, mime: file.mime.rawValue, bytes: file.bytes), path: path)
        }
    }

    /// Stores the end. What cannot be stored now is kept here with what had arrived, and tried again until it can, or
    /// until chat-bridge stops: then the turn is interrupted at the next start. Nothing is told that is not stored.
    private func conclude(
        _ writer: TurnWriter, _ state: TurnState, _ reason: String?, byTheAgent: Bool,
        stop: @Sendable () async -> Stop?
    ) async -> Outcome {
        var told: String?
        while true {
            do {
                // In a task of its own: this one may be cancelled, and the end has to be stored all the same.
                try await Task { try await writer.end(state, reason: reason, byTheAgent: byTheAgent) }.value
                return .over
            } catch  where error is DatabaseError {
                switch await stop() {
                case .shutdown: return .over
                case .left: return .left
                case .asked, nil: break
                }
                let why = StoreFailure.words(error, path: store.path)
                if why != told { await hub.mention(.notice(Self.waits(why, error)), turn: turn, in: session) }
                told = why
                await Task { try? await Task.sleep(for: Self.storePause) }.value
            } catch {
                // It has ended already, in words that are stored; or the store is about to be another one.
                if let kept = try? await store.turn(turn), kept.state.isOver {
                    await hub.mention(.ended(kept.state, reason: kept.reason), turn: turn, in: session)
                }
                return .over
            }
        }
    }

    /// The agent's word on an answer was lost with agent-worker, or with an earlier chat-bridge; that it ended its turn says that
    /// it waits for nothing.
    private func settleAnswers(_ writer: TurnWriter, after outcome: TurnOutcome) async throws {
        for id in try await store.unanswered(of: turn) {
            let said = sayings.taken(id, in: session)
            guard said != nil || outcome == .done else { continue }
            let answered = Answered(id: id, answer: said ?? .unknown, by: said == nil ? .elsewhere : .user)
            try await writer.append(.answered(sayings.name(answered, in: session)))
        }
    }

    private static func silence(after refused: Answered.Answer) -> String {
        let cause = refused == .dismissed ? "when its question was put aside" : "when it was refused that"
        return "The agent ended its turn \(cause), without a word. Send a message to go on."
    }

    private static func waits(_ why: String, _ error: any Error) -> String {
        let wish = StoreFailure.isNoRoom(error) ? "waits for room" : "waits for that"
        return "\(why). Your message is stored; the end of this turn \(wish), with what had arrived of the answer."
    }

    private static func judge(_ outcome: TurnOutcome?, stop: Stop?) -> (TurnState, String?) {
        switch outcome {
        case .done: return (.done, nil)
        case .failed(let reason): return (.failed, reason)
        case .interrupted(let reason):
            if case .asked(let words) = stop { return (.interrupted, words) }
            return (.interrupted, reason)
        case nil: return (.interrupted, "the agent's answer broke off; what had arrived is kept")
        }
    }

    private func judge(_ error: any Error, stop: Stop?) -> (TurnState, String?) {
        switch stop {
        case .asked(let words): return (.interrupted, words)
        case .shutdown: return (.interrupted, TurnRunner.stopReason)
        case .left, nil: break
        }
        guard let error = error as? AgentError else {
            let words = StoreFailure.words(error, path: store.path)
            let isOfTheStore = error is DatabaseError
            return (
                .failed, isOfTheStore ? "\(words); what had arrived is kept, send it again when that is mended" : words
            )
        }
        switch error.code {
        case .lost: return (.interrupted, "\(error); what had arrived is kept")
        case .notDelivered, .unknownSession, .unknownRequest, .failed: return (.failed, "\(error)")
        }
    }
}
