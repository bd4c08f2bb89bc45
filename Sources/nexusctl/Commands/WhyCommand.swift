import ArgumentParser
import ControlClient

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says why a child is where it is: how it ended, its last lines, what comes next.")

    @Argument var child: String

    @Flag(help: "nexusd's own answer, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let connection = try place.connect()
        let answer = try connection.answer(
            to: connection.request("why \(child)"), until: ControlConnection.now() + StatusQuestion.limitMilliseconds)
        if json { return Output.write(answer + [UInt8(ascii: "\n")]) }
        Output.write(WhyText(try ControlConnection.json(answer)).text(for: .standardOutput))
    }
}
