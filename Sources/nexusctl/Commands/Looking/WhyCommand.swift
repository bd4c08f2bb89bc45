import ArgumentParser
import ControlClient
import System
import Wire

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Says why a child is where it is: how it ended, its last lines, what comes next, what to do.",
        discussion: """
            The settings it names are those in force; where they stand in the file is shown when it may be read. Of a group \
            it says what its children do to each other, what would park it, and which of them do not serve.
            """)

    @Argument(help: "The child, or the group.", completion: .names) var name: String

    @Flag(
        help: """
            nexusd's own answer, one JSON object; with `missing_interpreter` where the program names one that is not there.
            """)
    var json = false

    @OptionGroup var place: Place

    // As nexus-config's own bound.
    private static let fileLimit = 1024 * 1024

    func run() throws {
        let connection = try place.connect()
        let answer = try connection.answer(
            to: connection.request("why \(name)"), until: ControlConnection.now() + StatusQuestion.limitMilliseconds)
        let why = try ControlConnection.json(answer)
        let missing = WhyText.programWithoutFile(why).flatMap(Self.missingCarrier)
        if json {
            let added = missing.map { why.members + [JSONValue.Member("missing_interpreter", .string($0.path))] }
            return Output.write((added.map { Array(JSONValue.object($0).line.utf8) } ?? answer) + [UInt8(ascii: "\n")])
        }
        let file = WhyText.config(of: why).flatMap { try? LiveKernel().readFile($0, limit: Self.fileLimit) }
        let text = file.map { String(decoding: $0, as: UTF8.self) }
        if let group = why["group"] {
            let words = WhyGroupText(GroupStatus(group), why, try StatusQuestion.report(connection), file: text)
            return Output.write(words.text(for: .standardOutput))
        }
        var beside = WhyText.Beside()
        beside.missing = missing
        beside.now = WallTime(nanosecondsSince1970: LiveKernel().wallClock())
        let report = try StatusQuestion.report(connection)
        beside.strays = why["child"]?["name"]?.text.map { report.strayWords(of: [$0], age: ProcessAge.of) } ?? []
        Output.write(WhyText(why, file: text, beside: beside).text(for: .standardOutput))
    }

    /// What a program that is there names to carry it out, and is not there.
    private static func missingCarrier(of program: String) -> ProgramHead.Carrier? {
        let kernel = LiveKernel()
        guard let file = try? kernel.openRegular(program, [.readOnly, .nonBlocking], mode: 0) else { return nil }
        let carrier = ProgramHead.carrier { offset, count in
            guard let offset = Int64(exactly: offset) else { return [] }
            var bytes = [UInt8](repeating: 0, count: count)
            let read = bytes.withUnsafeMutableBytes { (try? kernel.read(file, into: $0, at: offset)) ?? 0 }
            return Array(bytes.prefix(read))
        }
        guard let carrier, (try? kernel.status(carrier.path, followingLinks: true)) == nil else { return nil }
        return carrier
    }
}
