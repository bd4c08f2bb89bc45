import ArgumentParser
import ControlClient
import Glibc

/// Which nexusd is meant; every command takes these.
struct Place: ParsableArguments {
    @Option(help: ArgumentHelp("Directory of the control socket.", valueName: "dir"), completion: .directory)
    var runtime: String?

    @Option(help: ArgumentHelp("Directory of logs and databases.", valueName: "dir"), completion: .directory)
    var state: String?

    // Taken out of the arguments before they come here (`ColourChoice`); it stands here for the help.
    @Option(
        help: ArgumentHelp(
            "Colours: auto (on a terminal, unless NO_COLOR is set), always or never.", valueName: "when"),
        completion: .list(["auto", "always", "never"]))
    var color: String?

    /// What ends the waiting on each connection from here; nil: nothing but the answer, or the time for it.
    var interrupt: Int32?

    // What is no option is not read from the arguments.
    private enum CodingKeys: String, CodingKey { case runtime, state, color }

    /// The two directories. Where only the runtime directory is said, nexusd knows its other one.
    func locations() throws(ControlError) -> Locations {
        var place = try Locations.ofThisProcess(state: state, runtime: runtime)
        let isSaid = { (option: String?, name: String) in option != nil || getenv(name).map { $0.pointee != 0 } ?? false
        }
        guard isSaid(runtime, "NEXUS_RUNTIME_DIRECTORY"), !isSaid(state, "NEXUS_STATE_DIRECTORY"),
            let connection = try? ControlConnection(socket: place.controlSocket),
            let answer = try? ControlConnection.json(StatusQuestion.ask(connection)),
            let directory = answer["state_directory"]?.text
        else { return place }
        place.state = directory
        return place
    }

    /// A connection to that nexusd.
    func connect(waitsForNext: Bool = true) throws(ControlError) -> ControlConnection {
        try ControlConnection(
            socket: Locations.ofThisProcess(state: state, runtime: runtime).controlSocket, interrupt: interrupt,
            waitsForNext: waitsForNext)
    }

    /// ArgumentParser knows options of a command only after its name; people write these before it as well.
    static func hoisted(_ arguments: [String]) throws(ControlError) -> [String] {
        var rest = arguments[...]
        let leading = try taken(from: &rest)
        guard let command = rest.first, !command.hasPrefix("-") else { return Array(rest) }
        // ArgumentParser's own command, which asks no nexusd and knows no options.
        if command == "help" {
            var words: [String] = []
            while let word = rest.popFirst() {
                words.append(word)
                _ = try taken(from: &rest)
            }
            return words
        }
        // `tunnel url` is one command of two words, `agent workspace add` one of three.
        var (words, options) = ([command], leading)
        var family = NexusCtl.configuration.subcommands.first { $0._commandName == command } as? any CommandFamily.Type
        rest = rest.dropFirst()
        while let known = family {
            options += try taken(from: &rest)
            guard let member = known.configuration.subcommands.first(where: { $0._commandName == rest.first }) else {
                break
            }
            words.append(rest.removeFirst())
            family = member as? any CommandFamily.Type
        }
        // A family of commands of which none is named shows what there is, and knows no options.
        if let family, family.configuration.defaultSubcommand == nil { options = [] }
        return words + options + rest
    }

    /// Takes these options, with their directories, from the front.
    static func taken(from rest: inout ArraySlice<String>) throws(ControlError) -> [String] {
        var options: [String] = []
        while let word = rest.first {
            if word.hasPrefix("--runtime=") || word.hasPrefix("--state=") {
                options.append(word)
                rest = rest.dropFirst()
            } else if word == "--runtime" || word == "--state" {
                guard rest.count > 1 else { throw ControlError(.usage, "\(word) takes a directory, found nothing") }
                options += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        return options
    }
}

/// `--color WHEN`: the same for every command, so it is taken out of the arguments before any command sees them.
enum ColourChoice {
    /// The arguments without it; the choice is left to `Terminal` as NEXUS_COLOR.
    static func taken(from arguments: [String]) throws(ControlError) -> [String] {
        var rest: [String] = []
        var words = arguments[...]
        while let word = words.popFirst() {
            if word == "--" {
                return rest + [word] + words
            } else if word == "--color" || word == "--colour" {
                guard let when = words.popFirst() else { throw refusal("nothing") }
                try choose(when)
            } else if word.hasPrefix("--color=") || word.hasPrefix("--colour=") {
                try choose(String(word.drop { $0 != "=" }.dropFirst()))
            } else {
                rest.append(word)
            }
        }
        return rest
    }

    private static func choose(_ when: String) throws(ControlError) {
        guard ["auto", "always", "never"].contains(when) else { throw refusal("'\(when)'") }
        setenv("NEXUS_COLOR", when, 1)
    }

    private static func refusal(_ found: String) -> ControlError {
        ControlError(.usage, "--color takes auto, always or never, found \(found)")
    }
}
