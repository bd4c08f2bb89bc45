import ArgumentParser
import ControlClient
import Wire

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks for everything an owner gets wrong, and says the remedy.",
        discussion: """
            Looks at nexusd, the configuration, directories, disk, the book of runs, containment, journal, clock, limits, \
            ports and the programs that the default tree runs. Changes nothing. Ends with 1 when anything is bad.
            """)

    @Flag(help: "One JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let findings = try Doctor(place).findings()
        let bad = findings.count { $0.level == .bad }
        if json {
            Output.write(
                JSONValue.object([.init("ok", .bool(bad == 0)), .init("findings", .array(findings.map(\.json)))]).line
                    + "\n")
        } else {
            Output.write(findings.text(for: .standardOutput))
        }
        if bad > 0 { throw ExitCode(1) }
    }
}
