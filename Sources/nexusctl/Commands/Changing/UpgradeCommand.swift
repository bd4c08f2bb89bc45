import ArgumentParser
import ControlClient
import Glibc
import Wire

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Has nexusd go on as the program that is installed now; children keep running.",
        discussion: """
            The installed program is asked first whether it could go on from here. It then takes over in the same process: \
            children, their output, their sockets and the bus are as they were. Ends with 1, and says why, when it is \
            refused, or could not go on: then nexusd goes on as before. A new program that crashes there is followed by the \
            nexusd that systemd starts, and children run on. Workers and log-writer keep their old programs \
            until they are restarted.
            """)

    @Flag(help: "One JSON object: what came of it.")
    var json = false

    @OptionGroup var place: Place

    /// The check has 5 s, what only the old program can finish 15 s; the rest is for a machine with much else to do.
    private static let limitMilliseconds: Int64 = 60_000

    func run() throws {
        let deadline = ControlConnection.now() + Self.limitMilliseconds
        let connection = try place.connect()
        let begun = try ControlConnection.json(
            connection.answer(to: connection.request("upgrade"), until: deadline))
        guard let number = begun["number"]?.number else {
            throw ControlError(.failed, "nexusd's answer has no number of the upgrade")
        }
        let (version, outcome) = try outcome(of: number, until: deadline)
        if json { Output.write(outcome.line + "\n") }
        let why = Terminal.clean(outcome["why"]?.text ?? "it is not known why")
        switch outcome["outcome"]?.text {
        case "done": break
        case "interrupted":
            throw ControlError(.failed, why, hint: "see: nexusctl status, nexusctl logs nexusd")
        case _:
            throw ControlError(
                .failed, "nexusd goes on as before: " + why, hint: "nothing was changed; see: nexusctl logs nexusd")
        }
        guard !json else { return }
        let from = Terminal.clean(outcome["from"]?.text ?? "?")
        Output.tell("nexusd \(Terminal.clean(version)) goes on in place of \(from); its children are as they were")
    }

    /// Whoever answers next says what came of it. It is the old one's socket: who connects meanwhile waits there.
    private func outcome(
        of number: Int64, until deadline: Int64
    ) throws(ControlError) -> (version: String, outcome: JSONValue) {
        while true {
            do throws(ControlError) {
                let connection = try place.connect()
                let answer = try ControlConnection.json(
                    connection.answer(to: connection.request("version"), until: deadline))
                if let outcome = answer["upgrade"], let found = outcome["number"]?.number, found >= number {
                    return (answer["version"]?.text ?? "?", outcome)
                }
            } catch {
                guard error.code != .notRunning else {
                    throw ControlError(
                        .notRunning,
                        "nexusd has ended while the new program took over, and no next one answers: " + error.message,
                        hint: (try? Locations.ofThisProcess(state: nil, runtime: place.runtime).runtime) == "/run/nexus"
                            ? "see: systemctl status nexus, journalctl -u nexus; the way back: apt install ./nexus_OLDER.deb"
                            : error.hint)
                }
                // It may just be going.
                guard error.code == .failed, ControlConnection.now() < deadline else { throw error }
            }
            guard ControlConnection.now() < deadline else {
                throw ControlError(
                    .timeout, "what came of the upgrade is not known yet",
                    hint: "see: nexusctl status, nexusctl logs nexusd")
            }
            // Nobody tells when the next program has looked around: it is asked again, until the deadline.
            usleep(50_000)
        }
    }
}
