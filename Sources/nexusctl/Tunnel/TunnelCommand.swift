import ArgumentParser
import ControlClient

struct TunnelCommand: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "tunnel", abstract: "How the page is reached from outside, through cloudflared.",
        discussion: """
            What is chosen here holds over restarts of everything and goes before [tunnel] mode of Supervisor.toml; `nexusctl \
            tunnel mode file` goes back to that. Settings are checked before anything is started or stopped: what is wrong \
            is said with its field, and what ran goes on.
            """,
        subcommands: [
            Status.self, Setup.self, Start.self, Stop.self, Mode.self, Keep.self, URL.self, Check.self,
        ],
        defaultSubcommand: Status.self)

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "How it is now, as measured.")

        @Flag(help: "One JSON object, as docs/tunnel.md has it.")
        var json = false

        @OptionGroup var place: Place

        func run() throws { TunnelPicture.show(try TunnelLink(place).ask("describe"), place, json: json) }
    }

    struct Start: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Starts it in the way that was chosen; what runs is started anew.")

        @Flag(help: "One JSON object, as docs/tunnel.md has it.")
        var json = false

        @OptionGroup var place: Place

        func run() throws { TunnelPicture.show(try TunnelLink(place).ask("start"), place, json: json) }
    }

    struct Stop: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stops it until it is started by command.")

        @Flag(help: "One JSON object, as docs/tunnel.md has it.")
        var json = false

        @OptionGroup var place: Place

        func run() throws { TunnelPicture.show(try TunnelLink(place).ask("stop"), place, json: json) }
    }

    struct Mode: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Chooses the way, and takes it: off, quick, named, token; or file, as Supervisor.toml says.")

        @Argument(
            help: "off, quick, named, token or file.", completion: .list(["off", "quick", "named", "token", "file"]))
        var mode: String

        @Flag(help: "One JSON object, as docs/tunnel.md has it.")
        var json = false

        @OptionGroup var place: Place

        func run() throws { TunnelPicture.show(try TunnelLink(place).ask("mode", mode: mode), place, json: json) }
    }

    struct Keep: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keeps a change that was made through the tunnel itself, and would be undone.")

        @Flag(help: "One JSON object, as docs/tunnel.md has it.")
        var json = false

        @OptionGroup var place: Place

        func run() throws { TunnelPicture.show(try TunnelLink(place).ask("keep"), place, json: json) }
    }

    struct URL: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "url", abstract: "Prints the address of the page; fails while none leads here.",
            discussion: """
                Exit status 0 with the address on standard output; 1, with the tunnel's state on standard error and nothing on \
                standard output, while no address leads here: it is off, stopped, on its way or broken. Also 1, with both, \
                while the address leads here and the chat does not answer. What this machine's own looks find there instead of \
                the page is said on standard error, with exit status 0: visitors may come by it all the same. \
                Opening it lets nobody in: that takes a code of `nexusctl pair`, which draws a QR code with both.
                """)

        @Flag(help: "Draws it as a QR code too.")
        var qr = false

        @Flag(help: "One JSON object, as docs/tunnel.md has it.")
        var json = false

        @OptionGroup var place: Place

        func run() throws {
            let link = TunnelLink(place)
            let now = TunnelPicture(description: try link.ask("describe").json)
            guard now.leadsHere else {
                let known =
                    now.description["url"]?.text.map { " (\($0) is its name, and does not lead here now)" } ?? ""
                throw ControlError(
                    .failed, "there is no address: \(now.description["words"]?.text ?? "?")\(known)",
                    hint: "see: nexusctl tunnel")
            }
            let (answer, line) = try link.ask("address")
            if json {
                Output.write(json: line)
            } else {
                Output.write(Terminal.clean(answer["url"]?.text ?? "?") + "\n")
                // Last, so that all of it is on the screen.
                if qr {
                    let rows = (answer["qr"]?.elements ?? []).compactMap(\.text)
                    Output.write(QRPicture(rows: rows).text(for: .standardOutput) + "\n")
                }
            }
            if let doubt = now.doubt { Output.complain(ControlError.doubt(doubt)) }
            if now.isWithoutChat {
                throw ControlError(
                    .failed, "the address leads here, and nobody is at home: \(now.description["words"]?.text ?? "?")",
                    hint: "see: nexusctl why chat-bridge")
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Goes the way of a visitor, from the public address to the agent, with a verdict for each hop.",
            discussion: "Exit status 1 when a hop does not carry.")

        @Flag(help: "One JSON object, as docs/tunnel.md has it.")
        var json = false

        @OptionGroup var place: Place

        func run() throws {
            let (answer, line) = try TunnelLink(place).ask("check")
            let isGood = answer["good"]?.flag ?? false
            if json {
                Output.write(json: line)
            } else {
                var table = TextTable(foldsLast: true)
                for hop in answer["hops"]?.elements ?? [] {
                    table.append([
                        .init(hop["good"]?.flag == true ? "good" : "bad", .bold), .init(hop["hop"]?.text ?? "?"),
                        .init(Terminal.clean(hop["words"]?.text ?? "")),
                    ])
                }
                Output.write(table.rendered(for: .standardOutput))
            }
            if !isGood { throw ExitCode(1) }
        }
    }
}
