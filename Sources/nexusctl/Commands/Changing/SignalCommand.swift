import ArgumentParser
import ControlClient

struct SignalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signal", abstract: "Sends a signal to the main process of a child: signal opencode HUP.",
        discussion:
            "What ends by it is replaced as after any other end; KILL waits for that end, for 2 s at most. To stop a child, use stop."
    )

    @Argument(help: "The child.", completion: .children) var child: String
    @Argument(
        help: "HUP, SIGHUP or 1; SIGRTMIN+1 or 35.",
        completion: .list(["HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "STOP", "CONT"]))
    var signal: String

    @Flag(help: "nexusd's own answer, one JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        if let bad = [child, signal].first(where: { $0.isEmpty || $0.contains(" ") }) {
            throw ControlError(.usage, "'\(bad)' is neither the name of a child nor a signal")
        }
        let connection = try place.connect()
        let run = isKill ? try? StatusQuestion.ask(connection, child: child) : nil
        let answer = try connection.answer(to: connection.request("signal \(child) \(signal)"))
        // It is sent, whatever comes of looking on.
        if let run { try? awaitEnd(of: ChildStatus(ControlConnection.json(run)).run) }
        if json { return Output.write(answer + [UInt8(ascii: "\n")]) }
        Output.write("\(child): \(signal) sent\n")
    }

    private var isKill: Bool { ["KILL", "SIGKILL", "9"].contains(signal.uppercased()) }

    /// Nothing outlives SIGKILL, but the kernel takes its time: who asks next how the child is means its next run. Not for
    /// longer than this for one that hangs in the kernel.
    private func awaitEnd(of run: String?) throws(ControlError) {
        guard let run else { return }
        _ = try UpdateWatch(child, place).untilEnded(run, until: ControlConnection.now() + Self.endMilliseconds)
    }
    private static let endMilliseconds: Int64 = 2000
}
