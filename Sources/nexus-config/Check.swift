import ArgumentParser
import NexusConfiguration
import Wire

/// `nexus-config check`: what a person, or `nexusctl check`, runs.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whether a file would be accepted, and all that is wrong with it.",
        discussion: "Changes nothing. Without FILE it looks at the one that nexusd would read for this user.")

    @Argument(help: "Supervisor.toml.") var file: String?
    @Option(help: "The state directory.") var state: String?
    @Option(help: "The runtime directory.") var runtime: String?
    @Option(help: "Where bare program names are looked up first (default: beside this program).") var bin: String?

    @Flag(help: "One JSON object.") var json = false

    func run() throws {
        let defaults = Defaults()
        let config = file ?? defaults.config
        let state = self.state ?? defaults.state
        let places = Places(
            config: Defaults.absolute(config), name: config, state: Defaults.absolute(state),
            runtime: Defaults.absolute(runtime ?? defaults.runtime(state: state)),
            bin: Defaults.absolute(bin ?? defaults.bin))
        do {
            let configured = try SupervisorFile.load(places)
            let plan = configured.plan
            let notes =
                plan.notes + configured.passing.map(\.words) + WaitingNotes(plan).notes + MachineNotes(plan).notes
            if json { return try show(config, ok: true, notes) }
            let lines = ["\(config): ok, \(PlanCounts(plan).words)"] + notes.map { "note: \($0)" }
            try Output.show(lines.map { ControlText.escaped($0) + "\n" }.joined())
        } catch let unwritten as Unwritten {
            throw unwritten
        } catch {
            if json {
                try show(config, ok: false, "\(error)".split(separator: "\n").map(String.init))
                throw ExitCode(2)
            }
            throw Refusal(words: "\(error)")
        }
    }

    private func show(_ file: String, ok: Bool, _ words: [String]) throws {
        var json = JSONWriter()
        json.object { json in
            json.field("file", file)
            json.field("ok", ok)
            json.array(ok ? "notes" : "diagnostics") { json in for word in words { json.value(word) } }
        }
        try Output.show(String(decoding: json.bytes, as: UTF8.self) + "\n")
    }
}
