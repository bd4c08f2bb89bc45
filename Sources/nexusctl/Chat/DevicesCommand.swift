import ArgumentParser
import ControlClient
import Wire

struct DevicesCommand: CommandFamily {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists the browsers that were let in, or shuts one out.",
        subcommands: [List.self, Revoke.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists them, the one seen last first.",
            discussion:
                "SEEN is `now` while a page of it is open and follows something; else when it asked or left last, up to a minute early."
        )

        @Flag(help: "One JSON object a line, as docs/web.md has them.")
        var json = false

        @OptionGroup var place: Place

        func run() throws {
            var table = TextTable()
            table.append(["DEVICE", "ROLE", "SEEN", "FROM", "NAME"].map { TextTable.Cell($0, .dim) })
            var count = 0
            try ChatLink(place).collect([.init("op", .string("devices"))]) { device, line in
                count += 1
                if json { return Output.write(json: line) }
                let last = device["seen"]?.number.map { WallTime(nanosecondsSince1970: $0 &* 1_000_000).rfc3339 }
                let seen = device["here"]?.flag == true ? "now" : last
                table.append([
                    .init(device["device"]?.text ?? "?"), .init(device["role"]?.text ?? "?"), .init(seen ?? "?", .dim),
                    .init(Terminal.clean(device["address"]?.text ?? "?")),
                    .init(Terminal.clean(device["name"]?.text ?? "")),
                ])
            }
            if json { return }
            Output.write(
                count == 0 ? "no device was let in yet; nexusctl pair\n" : table.rendered(for: .standardOutput))
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shuts one out at once, also in the middle of an answer.")

        @Argument(help: "The device, as the list names it.")
        var device: String

        @Flag(help: "One JSON object.")
        var json = false

        @OptionGroup var place: Place

        func run() throws {
            try ChatLink(place).collect([.init("op", .string("revoke")), .init("device", .string(device))]) { _, _ in }
            let line = JSONValue.object([.init("revoked", .string(device))]).line
            Output.write(json ? line + "\n" : "\(device) is shut out\n")
        }
    }
}
