import ControlClient

/// How the running tree comes to what was changed of its agent.
enum AgentTakeover {
    /// Another program: the plan names the old one.
    case reload
    /// The same program, which reads what is new when it starts.
    case recycle(String)
    /// The same for one that nobody uses: it is not ready, and has begun, or will begin, nobody knows with what.
    case restart(String)
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
        } else if status.state == "ready" {
            self = .recycle(child.name)
        } else {
            self = .restart(child.name)
        }
    }

    /// For `--json`.
    var word: String {
        switch self {
        case .reload: "reload"
        case .recycle: "recycle"
        case .restart: "restart"
        case .start: "start"
        case .nothing: "none"
        }
    }

    /// The command; nil where there is nothing to do.
    var command: [String]? {
        switch self {
        case .reload: ["reload"]
        case .recycle(let name): ["recycle", name]
        case .restart(let name): ["restart", name]
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
        case .restart(let name): "It is taken when \(name) starts the next time: `nexusctl restart \(name)`."
        case .start(let name): "\(name) does not run: `nexusctl start \(name)`."
        case .nothing: "nexusd does not run: it is taken when it starts."
        }
    }

    /// Does it, by the command that anybody could type; waits for it. Its words go to standard output, for `--json` nowhere.
    func perform(_ place: Place, quietly: Bool) throws(ControlError) {
        guard let command else { return }
        if case .recycle(let name) = self, try !Self.awaitStable(name, place, quietly: quietly) {
            return try Self.awaitNext(name, place, quietly: quietly)
        }
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
    /// - Returns: false: that run is over meanwhile, and there is nothing to recycle.
    private static func awaitStable(
        _ name: String, _ place: Place, quietly: Bool
    ) throws(ControlError) -> Bool {
        guard let stable = try StableAfter(name, place.connect()) else { return true }
        let end = try stable.wait(place, until: nil, or: "nexusctl restart \(name)") {
            guard !quietly else { return }
            Output.tell(
                "\(Terminal.clean(name)) has just been started, and is recycled when it has been ready for \(stable.words);"
                    + " Ctrl-C leaves it at that, and `nexusctl restart \(Terminal.clean(name))` takes it at once.")
        }
        return end == .stable
    }

    /// By its owner, or after a crash, it comes anew, and with what is new; or it is stopped.
    private static func awaitNext(_ name: String, _ place: Place, quietly: Bool) throws(ControlError) {
        let watch = try UpdateWatch(name, place)
        let limit = ControlConnection.now() + startMilliseconds
        while true {
            let now = try watch.status()
            let isGivenUp = !now.isMeantToRun || now.state == "parked"
            if isGivenUp || now.state == "ready" {
                let words = isGivenUp ? start(name).words : "\(name) was started anew meanwhile, with it."
                if !quietly { Output.tell(Terminal.clean(words)) }
                return
            }
            guard try watch.wait(until: limit) else {
                throw ControlError(
                    .timeout,
                    "\(name) was started anew meanwhile, and is not ready in time: it is \(now.state) (\(now.words))",
                    hint: "see: nexusctl why \(name)")
            }
        }
    }

    private static let startMilliseconds: Int64 = 120_000
    /// memory.recycle-within and more: a busy agent is waited for.
    private static let limitMilliseconds: Int64 = 2 * 3_600_000

    private static func words(of errors: String) -> String {
        let line = errors.split(separator: "\n").first.map(String.init) ?? "it failed without a word"
        return line.hasPrefix("nexusctl: ") ? String(line.dropFirst(10)) : line
    }
}
