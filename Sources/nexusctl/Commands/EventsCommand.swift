import ArgumentParser
import ControlClient
import LogStore

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Shows what nexusd did and saw: starts, ends, causes, commands.",
        discussion: "Without -f the last 100, from the logs; with -f what happens from now on, from nexusd itself.")

    @Flag(name: [.short, .long], help: "What happens from now on, until Ctrl-C.")
    var follow = false

    @Flag(help: "One JSON object a line; with -f as nexusd sends them.")
    var json = false

    @Option(name: [.customShort("n"), .long], help: "Without -f: only so many of the last ones.")
    var lines = 100

    @OptionGroup var place: Place

    func validate() throws {
        if lines < 0 { throw ValidationError("-n is at least 0") }
    }

    func run() throws {
        guard follow else {
            var printer = LogPrinter(json: json, terminal: .standardOutput)
            return try printer.run(
                place.locations(), names: ["nexusd"], LogQuery(last: lines), follow: false,
                silence: "nexusctl: no event is in the logs yet")
        }
        let connection = try place.connect()
        let events = connection.request("events")
        while let frame = try connection.next() {
            guard frame.header.id == events else { continue }
            switch frame.header.kind {
            case .stream, .reply: show(frame.payload)
            case .error: throw ControlConnection.failure(frame.payload)
            case .end: return
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
    }

    private func show(_ payload: [UInt8]) {
        if payload.isEmpty { return }
        guard !json, let event = try? JSONParser.parse(payload) else {
            return Output.write(payload + [UInt8(ascii: "\n")])
        }
        if let missed = event["missed"]?.number {
            return Output.write("(\(missed) events were missed: this terminal was too slow)\n")
        }
        let time = event["time_ms"]?.number.map { WallTime(nanosecondsSince1970: $0 &* 1_000_000).rfc3339 }
        let words = event["message"]?.text ?? event.line
        Output.write(Terminal.clean([time, words].compactMap { $0 }.joined(separator: "  ")) + "\n")
    }
}
