public import AgentModel

/// A message that calls one of opencode's commands: `/name arguments`.
struct CommandCall: Hashable, Sendable {
    var name: String
    var arguments: String

    /// Nil for a text that does not begin with a slash and a name.
    init?(_ text: String) {
        guard text.hasPrefix("/") else { return nil }
        let rest = text.dropFirst()
        let name = rest.prefix { !$0.isWhitespace }
        guard !name.isEmpty else { return nil }
        self.name = String(name)
        arguments = String(rest.dropFirst(name.count).drop { $0.isWhitespace })
    }
}

extension OpenCodeClient {
    /// What can be chosen and called in a directory.
    public func catalog(directory: String) async throws(AgentFailure) -> [CatalogEntry] {
        let models = try await line.models(directory: directory)
        let agents = try await line.agents(directory: directory)
        let commands = try await line.commands(directory: directory)
        return models.prefix(CatalogEntry.limit).map { .model($0) }
            + agents.prefix(CatalogEntry.limit).map { .agent($0) }
            + commands.prefix(CatalogEntry.limit).map { .command($0) }
    }

    /// A turn that was handed over.
    struct HandOver {
        /// False: only the messages can tell whether opencode has it.
        var isCertain: Bool
        /// The call that a command is; it answers when the turn is over.
        var call: Task<Void, Never>?
    }

    private func isThere(_ command: CommandCall, _ directory: String) async throws(AgentFailure) -> Bool {
        do {
            return try await line.commands(directory: directory).contains { $0.name == command.name }
        } catch {
            throw type(of: line).beforeHandOver(error, "it did not tell its commands")
        }
    }

    /// Hands a message over as a prompt, or as the command that it names. Of a command it is not known that it was taken
    /// until its turn tells something; what opencode has against it comes as a problem of the turn.
    func handOver(
        _ session: AgentSessionID, id: String, prompt: Prompt, choice: TurnChoice, directory: String, _ inbox: TurnInbox
    ) async throws(AgentFailure) -> HandOver {
        // A command takes no files: with some it is a message like others.
        guard prompt.files.isEmpty, let command = CommandCall(prompt.text), try await isThere(command, directory) else {
            let isCertain = try await line.prompt(
                session, id: id, prompt: prompt, choice: choice, directory: directory)
            return HandOver(isCertain: isCertain)
        }
        let line = line
        return HandOver(
            isCertain: true,
            call: Task {
                do throws(AgentFailure) {
                    try await line.perform(command, in: session, id: id, choice: choice, directory: directory)
                    inbox.post([.idle])
                } catch {
                    // A broken connection says nothing about the turn: it is looked at.
                    let isSaid = error.code != .unavailable
                    inbox.post([isSaid ? .problem(AgentProblem(isAbort: false, words: error.message)) : .idle])
                }
            })
    }
}
