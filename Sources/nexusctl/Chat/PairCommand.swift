import ArgumentParser
import ControlClient

struct PairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pair",
        abstract: "Lets a browser in: prints a link, a code and, when a phone can use them, a QR code.",
        discussion: """
            The code lets one browser in, within ten minutes. It is behind the link's `#`, which browsers send to nobody, and \
            is spent when "Pair this browser" is tapped on the page, not by opening the link.
            Where the page can be reached from this machine only, that is said, with what to do about it; the link is for a \
            browser here then, and the QR code comes with --qr (for a phone to which you forward the port).
            """)

    @Flag(help: "The device may chat, and nothing else: no restarts, no other devices.")
    var chatOnly = false

    @Flag(help: "Draws the QR code even when only this machine can reach the link.")
    var qr = false

    @Flag(help: "One JSON object, as docs/web.md has it.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let link = try ChatLink(place)
        let role = chatOnly ? "chat-only" : "owner"
        var answer: (JSONValue, [UInt8])?
        try link.collect([.init("op", .string("pair")), .init("role", .string(role))]) { answer = ($0, $1) }
        guard let (pairing, line) = answer, let url = pairing["url"]?.text, let code = pairing["code"]?.text else {
            throw ControlError(.failed, "\(ChatLink.worker) answered something else than a code")
        }
        if json { return Output.write(line + [UInt8(ascii: "\n")]) }
        let isReachable = pairing["reachable"]?.flag ?? false
        let terminal = Terminal.standardOutput
        if isReachable || qr {
            Output.write(QRPicture(rows: (pairing["qr"]?.elements ?? []).compactMap(\.text)).text(for: terminal) + "\n")
        }
        let minutes = (pairing["good_for"]?.number ?? 0) / 60
        Output.write(
            """
            Open   \(terminal.styled(Terminal.clean(url), .bold))
            Code   \(terminal.styled(Terminal.clean(code), .bold))   (\(role), once, within \(minutes) minutes)

            """)
        if let fingerprint = pairing["fingerprint"]?.text {
            Output.write(
                """
                The browser will say that it does not know this machine: the certificate is made here. Go on when it shows
                SHA-256 \(Terminal.clean(fingerprint))

                """)
        }
        guard !isReachable, let remedy = pairing["remedy"]?.text else { return }
        Output.complain("Not for a phone yet: \(Terminal.clean(remedy))")
    }
}
