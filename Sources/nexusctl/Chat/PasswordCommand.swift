import ArgumentParser
import ControlClient
import Glibc
import Wire

struct PasswordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password",
        abstract: "Sets a password that a browser needs beside a pairing code, or takes it away.",
        discussion: """
            Without a password whoever holds a code may pair. With one, a code that somebody reads over your shoulder is not \
            enough. Browsers that are paired already stay so.
            It is asked for at the terminal and shown nowhere; from a pipe the first line is taken. It has 8 to 256 bytes, \
            and is kept as its Argon2id hash.
            """)

    @Flag(help: "Takes the password away: a pairing code is enough again.")
    var remove = false

    @Flag(help: "Says whether there is one, and changes nothing.")
    var show = false

    @Flag(help: "One JSON object, as docs/web.md has it.")
    var json = false

    @OptionGroup var place: Place

    func validate() throws {
        if remove, show { throw ValidationError("--remove changes what --show only looks at; take one of them") }
    }

    func run() throws {
        let link = try ChatLink(place)
        // Said before anybody types a password in vain.
        try link.requireBridge()
        var members: [JSONValue.Member] = [.init("op", .string("password"))]
        if remove {
            members.append(.init("remove", .bool(true)))
        } else if !show {
            guard let password = try Self.password() else { throw ExitCode(130) }
            members.append(.init("set", .string(password)))
        }
        var answer: (JSONValue, [UInt8])?
        try link.collect(members) { answer = ($0, $1) }
        guard let (state, line) = answer, let isSet = state["set"]?.flag else {
            throw ControlError(.failed, "\(ChatLink.worker) answered something else than how its password is")
        }
        if json { return Output.write(json: line) }
        Output.write(
            isSet
                ? "a browser needs the password beside a pairing code\n"
                : "there is no password: a pairing code is enough\n")
    }

    /// Nil: the person left.
    private static func password() throws -> String? {
        let interrupts = try Interrupts()
        guard isatty(STDIN_FILENO) == 1 else {
            var lines = PlainLines()
            guard let line = try lines.next(interrupts) else {
                throw ControlError(.usage, "no password came", hint: "nexusctl password < FILE takes its first line")
            }
            return line
        }
        guard let first = HiddenLine.read("New password: ", interrupts) else { return nil }
        guard let second = HiddenLine.read("The same again: ", interrupts) else { return nil }
        guard first == second else {
            throw ControlError(.usage, "these were two different ones; nothing was changed")
        }
        return first
    }
}
