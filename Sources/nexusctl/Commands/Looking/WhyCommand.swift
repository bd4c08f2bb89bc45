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
        var beside = WhyText.Beside()
        beside.interpreter = WhyText.programWithoutFile(why).flatMap(Self.missingInterpreter)
        let report = try StatusQuestion.report(connection)
        beside.strays = why["child"]?["name"]?.text.map { report.strayWords(of: [$0]) } ?? []
        Output.write(WhyText(why, file: text, beside: beside).text(for: .standardOutput))
    }

    /// execve(2) says of a script whose interpreter is not there what it says of one that is not there itself.
    private static func missingInterpreter(of program: String) -> String? {
        let kernel = LiveKernel()
        guard let file = try? kernel.openRegular(program, [.readOnly, .nonBlocking], mode: 0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: ProgramHead.length)
        let count = bytes.withUnsafeMutableBytes { (try? kernel.read(file, into: $0)) ?? 0 }
        guard let interpreter = ProgramHead.interpreter(bytes.prefix(count)) else { return nil }
        return (try? kernel.status(interpreter, followingLinks: true)) == nil ? interpreter : nil
    }
}
