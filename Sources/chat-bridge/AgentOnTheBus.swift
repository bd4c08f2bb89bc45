import AgentModel
import Chat
import Foundation
import Wire
import WorkerKit

/// The agent, asked through agent-worker.
struct AgentOnTheBus: AgentPort {
    /// Its name in Supervisor.toml, and in this child's `peers`.
    static let worker = "agent-worker"

    let bus: Bus
    private let chain: AgentChain

    init(bus: Bus) {
        self.bus = bus
        chain = AgentChain(bus)
    }

    func describe() async throws -> AgentDescription {
        do {
            guard case .description(var description) = try await ask(.describe) else { throw Self.wrongAnswer }
            // Who waits wants to know what to do, not what the worker sees of it.
            if !description.ready, let words = await chain.obstacle() { description.state = words }
            return description
        } catch let error as AgentError {
            guard let words = await chain.obstacle() else { throw error }
            throw AgentError(error.code, words)
        }
    }

    func whyGone() async -> String? {
        await chain.isStopped(Self.worker) ? "\(Self.worker) was stopped while the agent was answering" : nil
    }

    func catalog(workspace: String?) async throws -> [CatalogEntry] {
        do {
            var entries: [CatalogEntry] = []
            for try await frame in try await bus.stream(Self.worker, try Self.json(.catalog(workspace: workspace))) {
                entries.append(try JSONDecoder().decode(CatalogEntry.self, from: Data(frame)))
            }
            return entries
        } catch let error as BusError {
            throw Self.failure(error, inTurn: false)
        } catch is DecodingError {
            throw Self.wrongAnswer
        }
    }

    func openSession(title: String, workspace: String?) async throws -> AgentSessionID {
        guard case .session(let id) = try await ask(.openSession(title: title, workspace: workspace)) else {
            throw Self.wrongAnswer
        }
        return id
    }

    func runTurn(
        session: AgentSessionID, workspace: String?, text: String, files: [FileToSend], choice: TurnChoice
    ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable {
        let request = AgentRequest.runTurn(
            session: session, workspace: workspace, text: text, choice: choice, files: files.map(\.about))
        do {
            guard !files.isEmpty else {
                return TurnEvents(frames: try await bus.stream(Self.worker, try Self.json(request)))
            }
            let frames = try await bus.stream(Self.worker, try Self.json(request)) { sink in
                for file in files { try await Self.send(file, sink) }
            }
            return TurnEvents(frames: frames)
        } catch let error as BusError {
            throw Self.failure(error, inTurn: true)
        }
    }

    func followTurn(
        session: AgentSessionID, prompt: String
    ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable {
        let request = try Self.json(.followTurn(session: session, prompt: prompt))
        do {
            return TurnEvents(frames: try await bus.stream(Self.worker, request))
        } catch let error as BusError {
            throw Self.failure(error, inTurn: true)
        }
    }

    func abort(session: AgentSessionID) async throws { _ = try await ask(.abort(session: session)) }

    func answer(_ answer: ChatAnswer, to id: String, session: AgentSessionID) async throws {
        let request: AgentRequest =
            switch answer {
            case .permission(let reply, let message):
                .answerPermission(session: session, id: id, reply: reply, message: message)
            case .question(let answers): .answerQuestion(session: session, id: id, answers: answers)
            case .dismiss: .answerQuestion(session: session, id: id, answers: nil)
            }
        do {
            _ = try await bus.request(Self.worker, try Self.json(request))
        } catch let error as BusError where error.code == .unknown {
            throw AgentError(.unknownRequest, error.message)
        } catch let error as BusError {
            throw Self.failure(error, inTurn: false)
        }
    }

    func rename(session: AgentSessionID, to title: String) async throws {
        _ = try await ask(.renameSession(session, title: title))
    }

    func remove(session: AgentSessionID) async throws { _ = try await ask(.deleteSession(session)) }

    func fork(session: AgentSessionID, before prompt: String?) async throws -> AgentSessionID {
        guard case .session(let id) = try await ask(.forkSession(session, before: prompt)) else {
            throw Self.wrongAnswer
        }
        return id
    }

    func revert(session: AgentSessionID, to prompt: String) async throws {
        _ = try await ask(.revert(session, to: prompt))
    }

    func unrevert(session: AgentSessionID) async throws { _ = try await ask(.unrevert(session)) }

    private func ask(_ request: AgentRequest) async throws -> AgentReply {
        do {
            let answer = try await bus.request(Self.worker, try Self.json(request))
            return try JSONDecoder().decode(AgentReply.self, from: Data(answer))
        } catch let error as BusError {
            throw Self.failure(error, inTurn: false)
        } catch is DecodingError {
            throw Self.wrongAnswer
        }
    }

    private static func send(_ file: FileToSend, _ sink: Bus.UploadSink) async throws {
        guard let handle = FileHandle(forReadingAtPath: file.path) else {
            throw AgentError(
                .failed,
                "the content of \(file.about.name) is not on this machine's disk any more, and nothing was handed over; "
                    + "attach it again and send the message anew")
        }
        defer { try? handle.close() }
        while let piece = try handle.read(upToCount: 32_768), !piece.isEmpty { try await sink(Array(piece)) }
    }

    fileprivate static let wrongAnswer = AgentError(
        .failed,
        "agent-worker answered something that is not in docs/agent.md: it is of another version than chat-bridge; restart "
            + "both (nexusctl restart agent-worker chat-bridge), and build again where that does not help (scripts/build)"
    )

    /// As it is counted (`Submission.textLimit`): a message of slashes would be twice as long.
    private static func json(_ request: AgentRequest) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return Array(try encoder.encode(request))
    }

    /// What a failure on the bus says about the request. `inTurn`: repeating it could have an effect twice.
    fileprivate static func failure(_ error: BusError, inTurn: Bool) -> AgentError {
        switch error.code {
        // By their meaning (docs/bus-protocol.md, docs/agent.md) nobody has seen the request, or acted on it.
        case .unavailable, .busy: AgentError(.notDelivered, error.message)
        case .cut:
            inTurn
                ? AgentError(.lost, "the agent's answer was cut off on its way: \(error.message)")
                : AgentError(.notDelivered, error.message)
        case .peerRestarted, .timeout:
            inTurn
                ? AgentError(.lost, "agent-worker went away while the agent was answering")
                : AgentError(.notDelivered, error.message)
        case .unknown: inTurn ? AgentError(.unknownSession, error.message) : AgentError(.failed, error.message)
        case .refused, .badRequest, .tooLarge, .failed, .configuration: AgentError(.failed, error.message)
        }
    }
}

/// A turn's stream as events. Nothing is read ahead: credit reaches from the store back to agent-worker.
private struct TurnEvents: AsyncSequence, Sendable {
    let frames: BusStream

    func makeAsyncIterator() -> Iterator { Iterator(frames: frames.makeAsyncIterator()) }

    struct Iterator: AsyncIteratorProtocol {
        var frames: BusStream.Iterator
        private var joined = AgentFrames()
        private var ready: ArraySlice<AgentEvent> = []

        init(frames: BusStream.Iterator) { self.frames = frames }

        mutating func next() async throws -> AgentEvent? {
            do {
                while ready.isEmpty {
                    guard let frame = try await frames.next() else { return nil }
                    ready = joined.take(try JSONDecoder().decode(AgentFrame.self, from: Data(frame)))[...]
                }
                return ready.removeFirst()
            } catch let error as BusError {
                throw AgentOnTheBus.failure(error, inTurn: true)
            } catch is DecodingError {
                throw AgentOnTheBus.wrongAnswer
            }
        }
    }
}
