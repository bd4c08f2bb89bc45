import ArgumentParser
import ControlClient

struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Shows what children and nexusd said.")
    @OptionGroup var place: Place
}
