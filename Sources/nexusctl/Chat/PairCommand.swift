import ArgumentParser
import ControlClient
import Wire

struct PairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pair",
        abstract: "Lets a browser in: prints a link, a code and, when a phone can use them, a QR code.",
        discussion: """
            The code lets one browser in, within ten minutes. It is behind the link's `#`, which browsers send to nobody, and \
            is spent when "Pair this browser" is tapped on the page, not by opening the link.
            The link is the one that a phone will use now: the tunnel's address while it stands, else [chat] url where a proxy \
            of yours leads there, else this machine's at home. While there is none, no code is made, and what to do is said \
            (exit status 1); --here makes a link for a browser on this machine in any case.
            """)

    @Flag(help: "The device may chat, and nothing else: no restarts, no other devices.")
    var chatOnly = false

    @Flag(help: "For a browser on this machine, or one to which you forward the port.")
    var here = false

    @Flag(help: "Draws the QR code also with --here.")
    var qr = false

    @Flag(help: "One JSON object, as docs/web.md has it.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let (pairing, line) = try code()
        if json { return Output.write(json: line) }
        guard let url = pairing["url"]?.text, let code = pairing["code"]?.text else { throw Self.wrongAnswer }
        let terminal = Terminal.standardOutput
        let minutes = (pairing["good_for"]?.number ?? 0) / 60
        Output.write(
            """
            Open   \(terminal.styled(Terminal.clean(url), .bold))
            Code   \(terminal.styled(Terminal.clean(code), .bold))   (\(role), once, within \(minutes) minutes)
            \(Self.remark(on: pairing))

            """)
        if let doubt = pairing["url_doubt"]?.text {
            Output.complain(ControlError.doubt(doubt, ofTunnel: pairing["way"]?.text == "tunnel"))
        }
        if pairing["ends_oldest"]?.flag == true {
            Output.write("Too many codes were good at a time: the oldest of them lets nobody in any more.\n")
        }
        if let fingerprint = pairing["fingerprint"]?.text {
            Output.write(
                """
                The browser will say that it does not know this machine: the certificate is made here. Go on when it shows
                SHA-256 \(Terminal.clean(fingerprint))

                """)
        }
        // Last, so that all of it is on the screen.
        if !here || qr {
            Output.write(QRPicture(rows: (pairing["qr"]?.elements ?? []).compactMap(\.text)).text(for: terminal) + "\n")
        }
    }

    private var role: String { chatOnly ? "chat-only" : "owner" }

    private func code() throws -> (JSONValue, [UInt8]) {
        var answer: (JSONValue, [UInt8])?
        do throws(ControlError) {
            try ChatLink(place).collect([
                .init("op", .string("pair")), .init("role", .string(role)), .init("here", .bool(here)),
            ]) { answer = ($0, $1) }
        } catch {
            // A refusal has its remedies one a line.
            let lines = error.message.split(separator: "\n").map(String.init)
            guard error.code == .failed, lines.count > 1 else { throw error }
            Output.complain(ControlError(error.code, lines[0]).text)
            for line in lines.dropFirst() { Output.complain("          " + Terminal.clean(line)) }
            throw ExitCode(error.exitStatus)
        }
        guard let answer else { throw Self.wrongAnswer }
        return answer
    }

    private static let wrongAnswer = ControlError(.failed, "\(ChatLink.worker) answered something else than a code")

    /// Who can open the link, and for how long.
    private static func remark(on pairing: JSONValue) -> String {
        switch pairing["way"]?.text {
        case "tunnel" where pairing["url_lasts"]?.flag == false:
            "The address is a quick tunnel's: it does not last, another start of cloudflared makes another one."
        case "tunnel": "It leads through the tunnel, from anywhere."
        case "url": "It leads by [chat] url, as your proxy brings people here."
        case "network": "It is for phones and computers in this machine's network."
        case _: "It is for a browser on this machine."
        }
    }
}
