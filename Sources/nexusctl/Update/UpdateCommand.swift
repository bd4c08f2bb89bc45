import ArgumentParser
import ControlClient
import Glibc
import Wire

struct UpdateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Accepts another version of opencode or cloudflared, with a way back.",
        discussion: """
            The program at PATH is copied into the state directory under its SHA-256, and run from there; the file itself, and what \
            a package manager owns, is left alone. The copy has to be a program for this machine whose version is one that Nexus \
            works with, asked as the child's user. Then it is tried: the child gets a fresh run of it, opencode when the agent is \
            idle, which has to become ready and to pass a canary: agent-worker reads what it offers, makes a session and removes \
            it (no model is asked); the tunnel of a cloudflared is connected. Whatever fails, what held before is brought back, and said.

            Ctrl-C, SIGTERM and the end of the terminal break a trial off, and what held before is brought back. One that was cut off \
            otherwise (this command was killed, or the machine lost its power) is ended by the next command, and by the next start \
            of nexus.service (--settle).

            Exit status 1 when it is not kept, with the reason; 4 for another user than nexusd's; 5 when the agent was busy \
            longer than --timeout.
            """)

    @Argument(help: "opencode or cloudflared.", completion: .list(UpdateCommand.programs))
    var program: String?

    @Argument(help: "The new program: its own file, not a script that leads to it.", completion: .file())
    var path: String?

    @Flag(help: "Goes back to what held before.")
    var back = false

    @Flag(help: "Shows what is accepted, whether it is whole, and what was tried last. The same without any word.")
    var list = false

    @Flag(help: "Does not wait until the agent is idle.")
    var now = false

    @Flag(help: "Ends a trial that was cut off, before nexusd is started.")
    var settle = false

    @Flag(help: "With --settle: nexusd was started, and what it has begun of a trial is started anew.")
    var started = false

    @Option(help: "How long it may take to be ready, and then to pass the canary.")
    var within = "2min"

    @OptionGroup var limit: Limit

    @Flag(help: "One JSON object.")
    var json = false

    @OptionGroup var place: Place

    /// Programs that Nexus runs and does not bring.
    static let programs = [AgentUpdate.program, CloudflaredUpdate.program]

    func validate() throws {
        _ = try Limit.milliseconds(within)
        if settle, program != nil { throw ValidationError("--settle looks at all of them") }
        if started, !settle { throw ValidationError("--started belongs to --settle") }
        guard let program else {
            if back {
                throw ValidationError(
                    "--back goes with the name of a program: \(Self.programs.joined(separator: " or "))")
            }
            return
        }
        guard Self.programs.contains(program) else {
            let hint = Nearest.hintOrList(for: program, among: Self.programs, of: "program")
            throw ValidationError("nothing is accepted of '\(program)'\(hint)")
        }
        if list { throw ValidationError("--list shows all of them") }
        if back == (path != nil) { throw ValidationError("give the PATH of a program, or --back") }
    }

    func run() throws {
        if settle { return try settleAll() }
        guard let program else { return try UpdateList(place.locations()).show(json: json) }
        do throws(ControlError) {
            let outcome = try update(program)
            if json { Output.write(outcome.line) } else { Output.tell(Terminal.clean(outcome.words)) }
        } catch {
            if json {
                let members: [JSONValue.Member] = [
                    .init("program", .string(program)), .init("outcome", .string("failed")),
                    .init("error", .string(error.message)),
                ]
                Output.write(JSONValue.object(members).line + "\n")
            }
            throw error
        }
    }

    private func update(_ program: String) throws(ControlError) -> UpdateOutcome {
        let milliseconds = { (text: String) in (try? Limit.milliseconds(text)) ?? 0 }
        let options = UpdateOptions(
            isNow: now, serveMilliseconds: milliseconds(within), idleMilliseconds: limit.timeout.map(milliseconds),
            isQuiet: json)
        guard program == CloudflaredUpdate.program else { return try update(AgentUpdate.self, options) }
        return try update(CloudflaredUpdate.self, options)
    }

    private func settleAll() throws(ControlError) {
        let locations = try place.locations()
        let options = UpdateOptions(
            isNow: true, serveMilliseconds: Self.settleMilliseconds, idleMilliseconds: nil, isQuiet: true)
        func settle<Subject: UpdateSubject>(_ subject: Subject.Type) throws(ControlError) {
            // Nothing is made where nothing was ever accepted, and nobody is disturbed who is at work.
            guard ShelfPlace(Subject.program, locations).read().book.trial != nil else { return }
            var update = try Update<Subject>(place, options)
            if let words = try update.settle(isServed: started) { Output.tell(Terminal.clean(words)) }
        }
        try settle(AgentUpdate.self)
        try settle(CloudflaredUpdate.self)
    }

    /// A start of nexus.service waits for it.
    private static let settleMilliseconds: Int64 = 20_000

    private func update<Subject: UpdateSubject>(
        _ subject: Subject.Type, _ options: UpdateOptions
    ) throws(ControlError) -> UpdateOutcome {
        let interrupts = try Interrupts([SIGINT, SIGTERM, SIGHUP])
        var place = place
        place.interrupt = interrupts.descriptor
        let source = try path.map { path throws(ControlError) in
            guard let resolved = realpath(path, nil) else {
                throw ControlError(.failed, "\(path): \(String(cString: strerror(errno)))")
            }
            defer { free(resolved) }
            return String(cString: resolved)
        }
        // Refuses whoever is not nexusd's user, before anything is made.
        _ = try subject.init(place, options).child()
        var update = try Update<Subject>(place, options)
        guard let source else { return try update.back() }
        return try update.take(source)
    }
}
