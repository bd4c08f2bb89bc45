import ArgumentParser
import Glibc
import NexusConfiguration

/// `nexus-config record`: what nexusd runs when an owner has started or stopped something by command.
struct Record: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Records what was chosen by command, for nexusd.",
        discussion: "The choices stand in the state directory and are merged into every plan; last-good gets them too.")

    @Option(help: "The state directory.") var state: String
    @Argument(help: "NAME=off, NAME=on, or NAME=file: the file decides again.") var choices: [String]

    func run() throws {
        do {
            let complaint = try ChoiceBook(PlanStore(state: Defaults.absolute(state))).record(choices)
            if let complaint { try Output.write(Array((complaint + "\n").utf8), to: STDERR_FILENO) }
        } catch {
            throw Refusal(words: "nexus-config: \(error)")
        }
    }
}
