import AgentModel
import Foundation
import OpenCode
import Wire
import WorkerKit

/// Answers `AgentRequest`s.
struct AgentDesk: Sendable {
    let connection: AgentConnection
    let workspaces: [Workspace]
    let turns: Turns

    /// Each request is finished by exactly one reply, error or end.
    func answer(_ request: IncomingRequest, _ responder: Responder) async {
        let asked: AgentRequest
        do {
            asked = try JSONDecoder().decode(AgentRequest.self, from: Data(request.payload))
        } catch {
            return await responder.fail(
                .badRequest, "not a request to the agent: \(Self.words(error)); docs/agent.md has what can be asked")
        }
        do throws(AgentFailure) {
            switch asked {
            case .describe: await reply(.description(await description), responder)
            case .catalog(let workspace):
                let directory = try directory(of: workspace)
                let client = try await connection.readyClient(within: Limits.handOverTime)
                let catalog = try await client.catalog(directory: directory)
                await stream(catalog, responder)
            case .openSession(let title, let workspace):
                let directory = try directory(of: workspace)
                let client = try await connection.readyClient(within: Limits.handOverTime)
                let session = try await told { () async throws(AgentFailure) in
                    try await client.openSession(title: title, directory: directory)
                }
                await connection.turnsAway(nil)
                await reply(.session(session), responder)
            case .runTurn(let session, let workspace, let text, let choice, let files):
                if workspace != nil { _ = try directory(of: workspace) }
                let contents = try await Self.contents(of: files, responder)
                try await turns.run { () async throws(AgentFailure) in
                    try await run(session, Prompt(text: text, files: contents), choice, responder)
                }
            case .followTurn(let session, let prompt):
                try await turns.run { () async throws(AgentFailure) in try await follow(session, prompt, responder) }
            case .abort(let session):
                try await abort(session)
                await reply(.aborted, responder)
            case .answerPermission(let session, let id, let said, let message):
                let client = try await connection.readyClient(within: Limits.handOverTime)
                let directory = try await directory(of: session, client)
                try await client.answerPermission(
                    session, id: id, reply: said, message: message, directory: directory)
                await reply(.answered, responder)
            case .answerQuestion(let session, let id, let answers):
                let client = try await connection.readyClient(within: Limits.handOverTime)
                let directory = try await directory(of: session, client)
                try await client.answerQuestion(session, id: id, answers: answers, directory: directory)
                await reply(.answered, responder)
            case .renameSession(let session, _), .deleteSession(let session), .forkSession(let session, _),
                .revert(let session, _), .unrevert(let session):
                await reply(try await change(session, asked), responder)
            }
        } catch {
            await responder.fail(error.code.onTheBus, error.message)
        }
    }

    private func run(
        _ session: AgentSessionID, _ prompt: Prompt, _ choice: TurnChoice, _ responder: Responder
    ) async throws(AgentFailure) {
        let client = try await connection.readyClient(within: Limits.handOverTime)
        try await told { () async throws(AgentFailure) in
            let directory = try await directory(of: session, client)
            try await client.runTurn(session, directory: directory, prompt: prompt, choice: choice) { event in
                if case .turnStarted = event { await connection.turnsAway(nil) }
                for frame in event.frames { try await responder.send(try Self.json(frame)) }
            }
        }
        await responder.end()
    }

    private func follow(
        _ session: AgentSessionID, _ prompt: String, _ responder: Responder
    ) async throws(AgentFailure) {
        let client = try await connection.readyClient(within: Limits.handOverTime)
        let directory = try await directory(of: session, client)
        try await client.followTurn(session, directory: directory, prompt: prompt) { event in
            for frame in event.frames { try await responder.send(try Self.json(frame)) }
        }
        await responder.end()
    }

    /// Has it in the status line when a message is turned away before opencode could see it: its health and its events do not
    /// tell, and the message waits for somebody who mends that.
    private func told<Value>(
        _ call: () async throws(AgentFailure) -> Value
    ) async throws(AgentFailure) -> Value {
        do { return try await call() } catch {
            if error.code == .unavailable { await connection.turnsAway(error.message) }
            throw error
        }
    }

    /// What comes with the request, told apart by the lengths that were said; bounded by them, and they by the limits.
    private static func contents(
        of files: [AttachedFile], _ responder: Responder
    ) async throws(AgentFailure) -> [PromptFile] {
        guard !files.isEmpty else { return [] }
        // Each length before their sum: whoever says them may say anything.
        let areLengths = files.allSatisfy { (0...AttachedFile.bytesLimit).contains($0.bytes) }
        let sum = areLengths && files.count <= AttachedFile.limit ? files.reduce(0) { $0 + $1.bytes } : .max
        guard sum <= AttachedFile.bytesLimit else {
            throw AgentFailure(
                .refused,
                "a message has at most \(AttachedFile.limit) files of \(AttachedFile.bytesLimit) bytes together")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sum)
        do {
            for try await piece in responder.upload {
                guard bytes.count + piece.count <= sum else { break }
                bytes += piece
            }
        } catch {
            throw AgentFailure(.failed, "the files of the message did not come (\(Self.words(error))); send it again")
        }
        guard bytes.count == sum else {
            throw AgentFailure(.failed, "the files of the message are not as long as was said")
        }
        var place = 0
        return files.map { file in
            defer { place += file.bytes }
            return PromptFile(name: file.name, mime: file.mime, content: Array(bytes[place..<place + file.bytes]))
        }
    }

    private func stream(_ catalog: [CatalogEntry], _ responder: Responder) async {
        do {
            for entry in catalog { try await responder.send(try Self.json(entry)) }
            await responder.end()
        } catch {
            await responder.fail(.failed, "the catalog could not be told whole: \(Self.words(error)); ask again")
        }
    }

    private func reply(_ reply: AgentReply, _ responder: Responder) async {
        do {
            await responder.reply(try Self.json(reply))
        } catch {
            await responder.fail(.failed, "the answer could not be told: \(Self.words(error)); ask again")
        }
    }

    /// What is wrong, and where in the JSON; never a library's own description of it.
    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as BusError: error.message
        case is CancellationError: "it was called off"
        case is DecodingError: FormFault.words(error)
        case _: "it cannot be written as JSON"
        }
    }

    private static func json<Value: Encodable>(_ value: Value) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return Array(try encoder.encode(value))
    }

    private var description: AgentDescription {
        get async {
            let state = await connection.current
            let (identity, isReady): (AgentIdentity?, Bool) =
                if case .ready(let identity, _) = state { (identity, true) } else { (nil, false) }
            return AgentDescription(
                product: identity?.product ?? "opencode", version: identity?.version ?? "", ready: isReady,
                state: state.words, workspaces: workspaces.map(\.name))
        }
    }

    /// A session works in the directory it was made in, whatever a request says; one that was made elsewhere (by
    /// another client of opencode) is not for this way.
    func directory(of session: AgentSessionID, _ client: any AgentClient) async throws(AgentFailure) -> String {
        let directory = try await client.directory(of: session)
        guard workspaces.contains(where: { $0.isPlace(directory) }) else {
            throw AgentFailure(
                .refused,
                "this session works in \(directory), which is no workspace in Supervisor.toml: name it in [agent] workspaces, or "
                    + "begin a new session")
        }
        return directory
    }

    /// Only what Supervisor.toml lists; a name, never a path.
    private func directory(of name: String?) throws(AgentFailure) -> String {
        guard let name else {
            guard let first = workspaces.first else { throw AgentFailure(.unknown, "there is no workspace") }
            return first.path
        }
        guard let workspace = workspaces.first(where: { $0.name == name }) else {
            let names = workspaces.map(\.name)
            let known = "there \(names.count == 1 ? "is" : "are"): \(names.joined(separator: ", "))"
            let hint = Nearest.hint(for: name, among: names)
            throw AgentFailure(.refused, "there is no workspace '\(name)' in Supervisor.toml; \(known)\(hint)")
        }
        return workspace.path
    }
}

extension AgentFailure.Code {
    /// The bus has one set of codes for all workers.
    fileprivate var onTheBus: BusErrorCode {
        switch self {
        case .unavailable: .unavailable
        case .refused: .refused
        case .unknown: .unknown
        case .busy: .busy
        case .badRequest: .badRequest
        case .failed: .failed
        }
    }
}
