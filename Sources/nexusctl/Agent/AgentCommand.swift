import ArgumentParser

struct AgentCommand: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "opencode on its first day: where it lies, its log-in, its workspaces.",
        discussion: """
            Whom the agent runs as, and with which directories, is what Supervisor.toml says of its child opencode. Only the \
            user that nexusd runs as may do this: root, for an installed Nexus. `nexusctl doctor` says what is left to do.
            """,
        subcommands: [Install.self, Login.self, AgentWorkspaceCommand.self])
}
