import ArgumentParser
import ControlClient

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says why a child is where it is: how it ended, its last lines, what comes next.")

    @Argument var child: String

    @OptionGroup var place: Place

    func run() throws {
        let connection = try place.connect()
        let question = connection.request("why \(child)")
        let report = try StatusQuestion.report(connection)
        let answer = try ControlConnection.json(
            connection.answer(to: question, until: ControlConnection.now() + StatusQuestion.limitMilliseconds))
        guard let status = report.children.first(where: { $0.name == child }) else {
            throw ControlError(.usage, "there is no child '\(child)'", hint: "see: nexusctl status")
        }
        Output.write(WhyText(status: status, answer: answer).text(for: .standardOutput))
    }
}
