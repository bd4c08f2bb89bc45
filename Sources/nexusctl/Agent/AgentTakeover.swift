import ControlClient

/// How the running tree comes to what was changed of its agent.
enum AgentTakeover {
    /// Another program: the plan names the old one.
    case reload
    /// The same program, which reads what is new when it starts.
    case recycle(String)
    /// It is not meant to run, or was given up.
    case start(String)
    /// It takes it by itself.
    case nothing

    /// - Parameter program: what is to run; nil: what runs.
    init(_ child: AgentChild, program: String? = nil) {
        guard let status = child.status else {
            self = .nothing
            return
        }
        if let program, status.executable != program {
            self = .reload
        } else if !status.isMeantToRun || status.state == "parked" {
            self = .start(child.name)
        } else {
            self = .recycle(child.name)
        }
    }

    /// For `--json`.
    var word: String {
        switch self {
        case .reload: "reload"
        case .recycle: "recycle"
        case .start: "start"
        case .nothing: "none"
        }
    }

    /// The command; nil where there is nothing to do.
    var command: [String]? {
        switch self {
        case .reload: ["reload"]
        case .recycle(let name): ["recycle", name]
        case .start(let name): ["start", name]
        case .nothing: nil
        }
    }

    /// What is left to do, in words.
    var words: String {
        switch self {
        case .reload: "It runs with the next `nexusctl reload`."
        case .recycle(let name):
            "It is taken when \(name) starts the next time: `nexusctl recycle \(name)`, as soon as it is idle."
        case .start(let name): "\(name) does not run: `nexusctl start \(name)`."
        case .nothing: "nexusd does not run: it is taken when it starts."
        }
    }

    /// Does it, by the command that anybody could type; waits for it. Its words go to standard output, for `--json` nowhere.
    func perform(_ place: Place, quietly: Bool) throws(ControlError) {
        guard let command else { return }
        if case .recycle(let name) = self, try !Self.awaitStable(name, place, quietly: quietly) { return }
        let options =
            (place.runtime.map { ["--runtime", $0] } ?? []) + (place.state.map { ["--state", $0] } ?? [])
        let words = command + options
        guard quietly else {
            let status = NexusCtl.run(words)
            guard status == 0 else {
                throw ControlError(.failed, "`nexusctl \(command.joined(separator: " "))` ended with \(status)")
            }
            return
        }
        guard let said = Capture.run("/proc/self/exe", words + ["--json"], milliseconds: Self.limitMilliseconds) else {
            throw ControlError(.timeout, "`nexusctl \(command.joined(separator: " "))` is still under way")
        }
        guard said.status == 0 else { throw ControlError(.failed, Self.words(of: said.errors)) }
    }

    /// Who has just been started is not recycled before it counts as stable: that is waited for, as long as it is minutes.
    /// - Returns: false: another run has begun meanwhile, and with what is new.
    private static func awaitStable(
        _ name: String, _ place: Place, quietly: Bool
    ) throws(ControlError) -> Bool {
        guard let stable = try StableAfter(name, place.connect()) else { return true }
        let watch = try UpdateWatch(name, place)
        let end = try stable.wait(watch, until: nil, or: "nexusctl restart \(name)") {
            guard !quietly else { return }
            Output.tell(
                "\(Terminal.clean(name)) has just been started, and is recycled when it has been ready for \(stable.words);"
                    + " Ctrl-C leaves it at that, and `nexusctl restart \(Terminal.clean(name))` takes it at once.")
        }
        if end == .replaced, !quietly { Output.tell("\(Terminal.clean(name)) was started anew meanwhile, with it.") }
        return end == .stable
    }

    /// memory.recycle-within and more: a busy agent is waited for.
    private static let limitMilliseconds: Int64 = 2 * 3_600_000

    private static func words(of errors: String) -> String {
        let line = errors.split(separator: "\n").first.map(String.init) ?? "it failed without a word"
        return line.hasPrefix("nexusctl: ") ? String(line.dropFirst(10)) : line
    }
}
