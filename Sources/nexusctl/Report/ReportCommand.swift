import ArgumentParser
import ControlClient
import Glibc
import Wire

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes one archive for whoever helps: states, reasons, history, logs, configuration; no secrets.",
        discussion: """
            Everything in it went through nexus-config redact: secrets of the configuration, of credential files and of \
            environments are taken out word for word, and so is what looks like one. Have a look at it before you send it. \
            At most 20 MiB before it is compressed; readable by you alone.
            """)

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The archive; by default nexus-report-TIME.tar.gz here.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(help: "What was written, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let locations = try place.locations()
        let name = "nexus-report-" + Self.stamp
        let archive = output ?? name + ".tar.gz"
        try Self.check(archive, name)
        let folder = try ReportFolder(name)
        var collector = ReportCollector(locations, folder)
        collector.collect()
        try redact(folder, collector.config, locations)
        try pack(folder, name, into: archive)
        show(archive, folder.contents())
    }

    /// Before anything is collected: whether the archive could be written at all.
    private static func check(_ archive: String, _ name: String) throws(ControlError) {
        if archive == "-" {
            throw ControlError(
                .usage, "the archive is written to a file, not to standard output",
                hint: "name one: --output FILE; --output ./- is a file of that name")
        }
        var facts = stat()
        // A link counts as what it is, wherever it leads.
        if lstat(archive, &facts) == 0 {
            guard facts.st_mode & S_IFMT == S_IFDIR else { throw taken(archive) }
            let slash = archive.hasSuffix("/") ? "" : "/"
            throw ControlError(
                .usage, "\(archive) is a directory",
                hint: "name a file in it: --output \(archive)\(slash)\(name).tar.gz")
        }
        let parent = archive.lastIndex(of: "/").map { $0 == archive.startIndex ? "/" : String(archive[..<$0]) } ?? "."
        guard access(parent, W_OK | X_OK) != 0 else { return }
        throw ControlError(
            .usage, "\(archive) cannot be written: \(parent): \(String(cString: strerror(errno)))",
            hint: "give another place: --output FILE")
    }

    private func redact(_ folder: borrowing ReportFolder, _ config: String, _ place: Locations) throws(ControlError) {
        guard let own = BesideUs.directory,
            let redaction = Capture.run(
                own + "/nexus-config",
                ["redact", folder.path, "--config", config, "--state", place.state, "--runtime", place.runtime],
                milliseconds: 60_000)
        else { throw ControlError(.failed, "nexus-config redact cannot be run, and nothing leaves without it") }
        guard redaction.status == 0 else {
            throw ControlError(.failed, "the report cannot be redacted: \(redaction.errors)")
        }
    }

    private static func taken(_ archive: String) -> ControlError {
        ControlError(.usage, "\(archive) is there already", hint: "give another name: --output FILE")
    }

    /// tar(1) and gzip(1) are there on every Debian. tar writes into a file that was made here: whoever owns the directory may
    /// have put a link there since it was looked at, and root would write through it.
    private func pack(_ folder: borrowing ReportFolder, _ name: String, into archive: String) throws(ControlError) {
        let programs: [String] = ["/usr/bin/tar", "/bin/tar"]
        guard let program = programs.first(where: { access($0, X_OK) == 0 }) else {
            throw ControlError(.failed, "there is no tar here", hint: "apt install tar")
        }
        let file = open(archive, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            if errno == EEXIST { throw Self.taken(archive) }
            throw ControlError(.failed, "cannot write \(archive): \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        let arguments = ["-C", folder.parent, "--owner=0", "--group=0", "-czf", "-", "./" + name]
        guard let tar = Capture.run(program, arguments, milliseconds: 60_000, into: file), tar.status == 0 else {
            unlink(archive)
            throw ControlError(.failed, "tar cannot write \(archive)", hint: "is there room, and may you write there?")
        }
    }

    private func show(_ archive: String, _ contents: [(name: String, bytes: Int64)]) {
        var facts = stat()
        stat(archive, &facts)
        let path = realpath(archive, nil).map { real in
            defer { free(real) }
            return String(cString: real)
        }
        if json {
            let list = contents.map { file in
                JSONValue.object([.init("name", .string(file.name)), .init("bytes", .integer(file.bytes))])
            }
            let object = JSONValue.object([
                .init("file", .string(path ?? archive)), .init("bytes", .integer(Int64(facts.st_size))),
                .init("contents", .array(list)),
            ])
            return Output.write(object.line + "\n")
        }
        for file in contents { Output.write("  \(file.name)  \(ByteText.spoken(file.bytes))\n") }
        Output.write(
            "\(path ?? archive): \(ByteText.spoken(Int64(facts.st_size))), redacted, for your eyes only until you send it\n"
        )
    }

    /// `20261123T042053Z`.
    private static var stamp: String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let time = WallTime(nanosecondsSince1970: Int64(now.tv_sec) * 1_000_000_000).rfc3339.prefix(19)
        return time.filter { $0 != "-" && $0 != ":" } + "Z"
    }
}
