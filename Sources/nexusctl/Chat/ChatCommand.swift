import ArgumentParser
import ControlClient

struct ChatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "chat", abstract: "Talks to the agent.")
    @OptionGroup var place: Place
}
