import ArgumentParser
import ControlClient
import LogStore
import System
import Wire

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Shows what nexusd did and saw: starts, ends, causes, commands.",
        discussion: """
            The last ones come from the logs; with -f what happens from then on from nexusd itself. With --json both are one \
            object a line, as docs/control-protocol.md has it under Events.
            """)

    @Flag(name: [.short, .long], help: "Goes on with what happens, until Ctrl-C.")
    var follow = false

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: "Only so many of the last ones. Default: 100; 10 with -f.")
    var lines: Int?

    @OptionGroup var place: Place

    private static let usualLines = 100
    private static let usualFollowedLines = 10

    func validate() throws {
        if let lines, lines < 0 { throw ValidationError("-n takes a count of lines, at least 0, found \(lines)") }
    }

    func run() throws {
        if follow { Output.endWithReader() }
        // Subscribed before the logs are read: nothing falls between the two.
        let stream = follow ? try EventStream(place.connect()) : nil
        let locations = try place.locations()
        var past: [Event] = []
        do throws(ControlError) {
            past = try Event.last(lines ?? (follow ? Self.usualFollowedLines : Self.usualLines), in: locations)
        } catch {
            guard follow else { throw error }
            Output.complain(error.message + "; what happens from now on:")
        }
        past.forEach(show)
        guard let stream else {
            if past.isEmpty, lines != 0 { Output.complain("nexusctl: no event is in the logs yet") }
            return
        }
        while !Output.isRefused, let event = try stream.next() {
            if !past.contains(where: { $0.isSame(as: event) }) { show(event) }
        }
    }

    private func show(_ event: Event) {
        Output.write(json ? event.json.line + "\n" : event.text(for: .standardOutput))
    }
}
