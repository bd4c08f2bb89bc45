import ArgumentParser
import ControlClient
import Glibc
import Wire

struct ChatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talks to the agent: one message, or without words a prompt.",
        discussion: """
            The answer goes to standard output, everything about it to standard error. Each call begins a new session \
            unless --session names one. Ctrl-C stops the turn under way; a second one leaves. At the prompt a line can be \
            edited, Up and Down bring back the lines of this sitting, a paste is one message, Ctrl-C drops the line, \
            Ctrl-D leaves, and so does Ctrl-C on an empty line. What is typed while the agent answers is sent when it is \
            done; when it was stopped by Ctrl-C, it stands in the line again.
            Exit status 1 when the turn was interrupted or failed. A message that begins with a hyphen: chat -- -like this. \
            One whose first word is backup, restore or export: chat "backup my notes"
            """,
        subcommands: [ChatBackupCommand.self, ChatRestoreCommand.self, ChatExportCommand.self])

    @Argument(help: "The message; with --history the session.")
    var words: [String] = []

    @Option(help: "Goes on with this session; `new` (the default) begins one, `last` is the newest.")
    var session = "new"

    @Option(help: "Workspace of a new session; default: the first of [agent] workspaces.")
    var workspace: String?

    @Option(
        help:
            "Model of the session from this message on (see --models); `default` names none: a session goes on with what it used last."
    )
    var model: String?

    @Option(
        help:
            "Agent of the session from this message on (see --models); `default` names none: a session goes on with what it used last."
    )
    var agent: String?

    @Flag(help: "Lists the models, agents and slash commands of --workspace.")
    var models = false

    @Flag(help: "Lists the sessions, newest first.")
    var list = false

    @Flag(help: "Shows a whole session; `last`, which is the default, is the newest.")
    var history = false

    @Flag(help: "One JSON object a line, as docs/chat.md has them.")
    var json = false

    @OptionGroup var place: Place

    /// ArgumentParser takes the name of a subcommand for a word of the message, since a message takes any words.
    static func ofWholeConversations(_ arguments: [String]) throws -> (any ParsableCommand)? {
        guard arguments.first == configuration.commandName else { return nil }
        // Options that stand before the command were moved behind it.
        let place = arguments.dropFirst().firstIndex { name in
            configuration.subcommands.contains { $0.configuration.commandName == name }
        }
        guard let place, try Place.hoisted(Array(arguments[1...place])).first == arguments[place] || place == 1 else {
            return nil
        }
        guard let kind = configuration.subcommands.first(where: { $0.configuration.commandName == arguments[place] })
        else { return nil }
        let command: any ParsableCommand
        do {
            command = try kind.parseAsRoot(Array(arguments[1..<place] + arguments[(place + 1)...]))
        } catch {
            // Of its own; ArgumentParser would show the whole program's, or call it by half its name.
            throw ControlError(.usage, kind.message(for: error), hint: NexusCtl.usageString(for: kind))
        }
        // Another one than was named says how that is used.
        guard type(of: command) == kind else {
            Output.write(NexusCtl.helpMessage(for: kind) + "\n")
            throw ExitCode.success
        }
        return command
    }

    func validate() throws {
        if models && (list || history || !words.isEmpty) { throw ValidationError("--models is a question of its own") }
        if list && history { throw ValidationError("--list and --history are two questions") }
        if list && !words.isEmpty { throw ValidationError("--list takes no words") }
        if history && words.count > 1 { throw ValidationError("--history takes one session") }
    }

    func run() throws {
        let link = try ChatLink(place)
        defer { if !json { link.tellOfDamage() } }
        if models { return try ChatCatalog(link: link, json: json).show(of: workspace) }
        if list { return try ChatBooks(link: link, json: json).list() }
        if history { return try ChatBooks(link: link, json: json).history(named(words.first ?? session)) }
        let session = session == "last" ? try ChatBooks(link: link, json: json).newest() : named(session)
        let conversation = try Conversation(
            link: link, session: session, workspace: workspace, choice: choice, json: json)
        let text = words.joined(separator: " ")
        let status = words.isEmpty ? try conversation.prompt() : try conversation.once(text)
        if status != 0 { throw ExitCode(status) }
    }

    /// `default` is null: left to the agent.
    private var choice: [JSONValue.Member] {
        [("model", model), ("agent", agent)].compactMap { key, value in
            value.map { .init(key, $0 == "default" ? .null : .string($0)) }
        }
    }

    private func named(_ session: String) -> String? { session == "new" || session == "last" ? nil : session }
}

/// Sessions and their contents, read only.
struct ChatBooks {
    let link: ChatLink
    let json: Bool

    /// All sessions.
    func list() throws(ControlError) {
        var table = TextTable(rightAligned: [2])
        table.append(["SESSION", "STATE", "TURNS", "UPDATED", "TITLE"].map { TextTable.Cell($0, .dim) })
        var count = 0
        try link.collect([.init("op", .string("list"))]) { frame, line in
            count += 1
            if json { return Output.write(json: line) }
            let updated = frame["updated"]?.number.map { WallTime(nanosecondsSince1970: $0 &* 1_000_000).rfc3339 }
            let isAsking = frame["asking"]?.number ?? 0 > 0
            let state = isAsking ? "waits for your answer" : frame["state"]?.text ?? "?"
            table.append([
                .init(frame["session"]?.text ?? "?"), .init(state, Self.style(state)),
                .init(String(frame["turns"]?.number ?? 0)), .init(updated ?? "?", .dim),
                .init(Terminal.clean(frame["title"]?.text ?? "")),
            ])
        }
        if json { return }
        Output.write(
            count == 0 ? "no session yet; begin one: nexusctl chat \"hello\"\n" : table.rendered(for: .standardOutput))
    }

    /// One session, nil: the newest.
    func history(_ session: String?) throws(ControlError) {
        let terminal = Terminal.standardOutput
        var last: (state: String, reason: String?)?
        var printer = TurnPrinter(for: terminal, toErrors: false)
        func close() {
            guard let turn = last else { return }
            printer.noteUnanswered(isOver: !["queued", "running"].contains(turn.state))
            printer.finishLine()
            if turn.state == "done" { return }
            let words = turn.reason.map { "\(turn.state): \($0)" } ?? turn.state
            Output.write(terminal.styled("[\(Terminal.clean(words))]", Self.style(turn.state)) + "\n")
        }
        try link.collect([.init("op", .string("history")), .init("session", session.map { .string($0) } ?? .null)]) {
            frame, line in
            if json { return Output.write(json: line) }
            guard frame["type"]?.text == "turn" else { return printer.show(frame) }
            close()
            last = (frame["state"]?.text ?? "?", frame["reason"]?.text)
            let said = Terminal.clean(frame["text"]?.text ?? "", keepNewlines: true)
            Output.write((printer.isFresh ? "" : "\n") + terminal.styled("> " + said, .bold) + "\n")
            printer = TurnPrinter(for: terminal, toErrors: false, isFresh: false)
        }
        if json { return }
        close()
    }

    /// The newest session's name.
    func newest() throws(ControlError) -> String {
        var newest: String?
        try link.collect([.init("op", .string("list"))]) { frame, _ in newest = newest ?? frame["session"]?.text }
        guard let newest else {
            throw ControlError(.failed, "there is no session yet", hint: "begin one: nexusctl chat \"hello\"")
        }
        return newest
    }

    private static func style(_ state: String) -> Terminal.Style {
        switch state {
        case "done": .green
        case "failed": .red
        case _: .yellow
        }
    }
}
