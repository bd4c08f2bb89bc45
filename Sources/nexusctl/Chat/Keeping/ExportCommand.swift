import ArgumentParser
import ControlClient
import Glibc
import Wire

struct ChatExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Prints a whole session: as Markdown to be read, or as JSON to be worked with."
    )

    /// Forms of the text.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case markdown, json
    }

    @Argument(help: "The session; `last` is the newest.")
    var session: String

    @Option(help: "markdown or json.")
    var format = Format.markdown

    @Flag(help: "The same as --format json.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let link = try ChatLink(place)
        let session = session == "last" ? try ChatBooks(link: link, json: false).newest() : session
        try link.collect([
            .init("op", .string("export")), .init("session", .string(session)),
            .init("format", .string((json ? Format.json : format).rawValue)),
        ]) { piece, _ in Output.write(shown(piece["text"]?.text ?? "")) }
    }

    /// The agent's words draw on no terminal; a file or a pipe gets them as they are.
    private func shown(_ text: String) -> String {
        if json || format == .json { return ControlText.json(text) }
        return isatty(STDOUT_FILENO) == 1 ? Terminal.clean(text, keepNewlines: true) : text
    }
}
