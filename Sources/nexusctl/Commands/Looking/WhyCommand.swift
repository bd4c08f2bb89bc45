import ArgumentParser
import ControlClient
import System

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Says why a child is where it is: how it ended, its last lines, what comes next, what to do.",
        discussion: """
            The settings it names are those in force; where they stand in the file is shown when it may be read. Of a group \
            it says what its children do to each other, what would park it, and which of them do not serve.
            """)

    @Argument(help: "The child, or the group.", completion: .names) var name: String

    @Flag(help: "nexusd's own answer, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    // As nexus-config's own bound.
    private static let fileLimit = 1024 * 1024

    func run() throws {
        let connection = try place.connect()
        let answer = try connection.answer(
            to: connection.request("why \(name)"), until: ControlConnection.now() + StatusQuestion.limitMilliseconds)
        if json { return Output.write(answer + [UInt8(ascii: "\n")]) }
        let why = try ControlConnection.json(answer)
        let file = WhyText.config(of: why).flatMap { try? LiveKernel().readFile($0, limit: Self.fileLimit) }
        let text = file.map { String(decoding: $0, as: UTF8.self) }
        if let group = why["group"] {
            let words = WhyGroupText(GroupStatus(group), why, try StatusQuestion.report(connection), file: text)
            return Output.write(words.text(for: .standardOutput))
        }
        Output.write(WhyText(why, file: text).text(for: .standardOutput))
    }
}
