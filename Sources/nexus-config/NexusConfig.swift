import ArgumentParser
import Wire

/// Supervisor.toml for nexusd: checks it and makes it a plan. Runs at start and at reload; nexusd never parses TOML.
struct NexusConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nexus-config", abstract: "Checks Supervisor.toml and makes it the plan that nexusd carries out.",
        discussion: """
            Exit status: 0 accepted; 1 standard output did not take all of it; 2 refused, with file:line:column of each \
            mistake on standard error.
            """,
        version: "nexus-config \(NexusVersion.current)",
        subcommands: [
            MakePlan.self, Record.self, Check.self, DescribeAgent.self, Explain.self, Keys.self, Schema.self,
            Redact.self,
        ])
}
