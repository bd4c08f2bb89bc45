import ArgumentParser
import NexusConfiguration

/// `nexus-config schema`.
struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints a JSON Schema of Supervisor.toml, for editors.")

    func run() throws { try Output.show(KeySchema.json) }
}
