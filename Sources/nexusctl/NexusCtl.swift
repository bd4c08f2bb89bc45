import ArgumentParser
import ControlClient
import Wire

/// The command line of nexusctl.
struct NexusCtl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nexusctl",
        abstract: "Looks at a running nexusd, tells it what to do, and talks to the agent.",
        discussion: """
            --runtime DIR and --state DIR (or NEXUS_RUNTIME_DIRECTORY and NEXUS_STATE_DIRECTORY) say which nexusd; they \
            may stand before or after the command. Without them: /run/nexus and /var/lib/nexus for root, else the XDG \
            directories of the user, or the system's where only that one runs.

            Exit status: 0 done; 1 failed; 2 wrong usage or configuration; 3 no nexusd is running; 4 refused; 5 timeout.
            """,
        version: "nexusctl \(NexusVersion.current)",
        subcommands: [
            StatusCommand.self, TreeCommand.self, StartCommand.self, StopCommand.self, RestartCommand.self,
            RecycleCommand.self, ResetCommand.self, DiffCommand.self, ReloadCommand.self, UpgradeCommand.self,
            SignalCommand.self,
            LogsCommand.self,
            WaitCommand.self, IsReadyCommand.self, WhyCommand.self, HistoryCommand.self, EventsCommand.self,
            MetricsCommand.self, CheckCommand.self, ExplainCommand.self, DoctorCommand.self, ReportCommand.self,
            ChatCommand.self, PairCommand.self, PasswordCommand.self, DevicesCommand.self, TunnelCommand.self,
            AgentCommand.self, UpdateCommand.self, VersionCommand.self, CompletionsCommand.self,
        ])

    /// Does what the arguments (without the program's name) say; returns the exit status.
    static func run(_ arguments: [String]) -> Int32 {
        do {
            let arguments = try Place.hoisted(ColourChoice.taken(from: arguments))
            if let quick = QuickStatus(arguments) {
                try quick.run()
                return 0
            }
            try checkWords(arguments[...])
            if var command = try ChatCommand.ofWholeConversations(arguments) {
                try command.run()
                return 0
            }
            var command = try parseAsRoot(arguments)
            try command.run()
            return 0
        } catch let error as ControlError {
            Output.complain(error)
            return error.exitStatus
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let text = fullMessage(for: error)
            // Help, and what else ArgumentParser answers by itself, is asked for; everything else is wrong usage.
            if exitCode(for: error).isSuccess {
                Output.write(text + "\n")
                return 0
            }
            Output.complain(Terminal.clean(text, keepNewlines: true))
            return ControlError(.usage, "").exitStatus
        }
    }

    /// What others call it: systemctl, supervisorctl, docker, s6.
    private static let elsewhere = [
        "kill": "signal", "list": "status", "ls": "status", "ps": "status", "show": "status", "enable": "start",
        "up": "start", "disable": "stop", "down": "stop", "is-active": "is-ready", "daemon-reload": "reload",
        "upgrade": "update", "tail": "logs",
    ]

    /// A mistyped command is answered with the nearest one; ArgumentParser would call it an unexpected argument.
    private static func checkCommand(
        _ word: String, among commands: [ParsableCommand.Type], of family: String?
    ) throws(ControlError) {
        let known = commands.map { $0._commandName } + ["help"]
        guard !word.hasPrefix("-"), !known.contains(word) else { return }
        if family == nil, let ours = Self.elsewhere[word] {
            throw ControlError(.usage, "there is no command '\(word)'; here it is '\(ours)'")
        }
        // Whoever stops in the middle of a word means how it goes on, before one that differs by a letter.
        let begun = word.count > 2 ? known.filter { $0.hasPrefix(word) } : []
        let near = begun.count == 1 ? "; did you mean '\(begun[0])'?" : Nearest.hint(for: word, among: known)
        throw ControlError(
            .usage, "there is no command '\((family.map { $0 + " " } ?? "") + word)'" + near,
            hint: near.isEmpty ? "see: nexusctl \(family.map { $0 + " " } ?? "")--help" : nil)
    }

    /// Each word of `tunnel url` and its like.
    private static func checkWords(_ arguments: ArraySlice<String>) throws(ControlError) {
        var (rest, said, known) = (arguments, [String](), configuration.subcommands)
        while let word = rest.popFirst() {
            try checkCommand(word, among: known, of: said.isEmpty ? nil : said.joined(separator: " "))
            guard word != "help" || !said.isEmpty else { continue }
            guard let family = known.first(where: { $0._commandName == word }) as? any CommandFamily.Type else {
                return
            }
            said.append(word)
            _ = try Place.taken(from: &rest)
            known = family.configuration.subcommands
        }
    }
}
