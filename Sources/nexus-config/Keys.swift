import ArgumentParser
import NexusConfiguration

/// `nexus-config keys`.
struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints every key of Supervisor.toml with its type, default and values, as Markdown.")

    func run() throws { try Output.show(KeyReference.markdown) }
}
