import ArgumentParser
import ControlClient
import Glibc
import Wire

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explains a key of Supervisor.toml: type, default, values, meaning, and the value in force.",
        discussion: """
            Without KEY it lists the sections. child.web.delay.cap is that of the child web: what the running nexusd goes by, \
            and what the file says, with its place, where that is something else; child.delay.cap or delay.cap is the key as such.
            """)

    @Argument(
        help: "child.web.delay.cap, delay.cap, or a section such as delay.", completion: .keys)
    var key: String?

    @Option(
        help: "The file, and nothing of nexusd; without it that of the running nexusd, else the one nexusd would read.",
        completion: .file(extensions: ["toml"]))
    var config: String?

    @Flag(help: "One JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        // A name as the other commands take it is the section of that child or group.
        let key = key.map { key in
            ["child", "group"].first { key.hasPrefix($0 + ":") }.map { $0 + "." + key.dropFirst($0.count + 1) } ?? key
        }
        var words = key.map { [$0] } ?? []
        if let config {
            words += ["--config", config]
        } else if let connection = try? place.connect(), let report = try? StatusQuestion.report(connection) {
            words += ["--config", report.config]
            words.append("--asked")
            if let key { words += RunningSettings(of: key, connection, report).words }
        }
        try BesideUs.execute("nexus-config", ["explain"] + words + (json ? ["--json"] : []))
    }
}

/// What the running nexusd goes by, as options for nexus-config, which knows the file and the keys.
private struct RunningSettings {
    private(set) var words: [String] = []

    /// nexus-config has 10 s for the file, and others may be before us.
    private static let limitMilliseconds: Int64 = 60_000

    init(of key: String, _ connection: ControlConnection, _ report: StatusReport) {
        let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return }
        let until = ControlConnection.now() + Self.limitMilliseconds
        if parts[0] == "child" {
            // A path such as child.delay.cap is of no child.
            guard report.children.contains(where: { $0.name == parts[1] }) else { return }
            let answer = try? connection.answer(to: connection.request("settings \(parts[1])"), until: until)
            guard let answer, let settings = try? ControlConnection.json(answer) else { return }
            for setting in settings["settings"]?.elements ?? [] {
                words += ["--running", (setting["setting"]?.text ?? "") + "=" + (setting["value"]?.text ?? "")]
            }
            if let choice = settings["choice"]?.text { words += ["--choice", choice] }
        }
        do throws(ControlError) {
            let answer = try connection.answer(to: connection.request("diff"), until: until)
            take(try ControlConnection.json(answer), parts)
        } catch {
            let first = error.message.split(separator: "\n").first.map(String.init) ?? ""
            words += ["--refused", first]
        }
    }

    /// What a reload would change anywhere: a key that is no child's is in settings of several.
    private mutating func takeAll(_ difference: JSONValue) {
        for key in difference["supervisor"]?.elements ?? [] { words += ["--moved", "supervisor.\(key.text ?? "")"] }
        for child in difference["children"]?.elements ?? [] {
            for setting in child["settings"]?.elements ?? [] {
                let name = "child.\(child["name"]?.text ?? "").\(setting["setting"]?.text ?? "")"
                words += ["--moved", name]
                if let from = setting["from"]?.text { words += ["--from", "\(name)=\(from)"] }
                if let to = setting["to"]?.text { words += ["--to", "\(name)=\(to)"] }
            }
        }
        if difference["omitted"]?.number ?? 0 > 0 { words.append("--differs") }
    }

    /// What a reload would change of it.
    private mutating func take(_ difference: JSONValue, _ parts: [String]) {
        guard parts[0] == "child" || parts[0] == "group" else {
            return takeAll(difference)
        }
        let list = difference[parts[0] == "child" ? "children" : "groups"]?.elements ?? []
        guard let entry = list.first(where: { $0["name"]?.text == parts[1] }) else { return }
        if entry["change"]?.text == "removed" { words.append("--removed") }
        for setting in entry["settings"]?.elements ?? [] {
            let name = setting["setting"]?.text ?? ""
            words += ["--changed", name.hasPrefix("environment.") ? "environment" : name]
            if parts[0] == "group" { words += ["--running", name + "=" + (setting["from"]?.text ?? "")] }
        }
    }
}
