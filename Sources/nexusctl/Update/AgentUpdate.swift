import ControlClient
import SupervisorCore
import Wire

/// opencode as the subject of an update: tried when the agent is idle, and asked through agent-worker.
struct AgentUpdate: UpdateSubject {
    static let program = "opencode"
    let place: Place
    let options: UpdateOptions
    /// When it is no longer waited for the agent; nil: as long as nexusd waits.
    private var deadline: Int64?
    private var stable: StableAfter?

    init(_ place: Place, _ options: UpdateOptions) {
        self.place = place
        self.options = options
    }

    func child() throws(ControlError) -> AgentChild { try AgentChild(place) }

    func version(of path: String, from origin: String, _ child: AgentChild) throws(ControlError) -> String {
        try ProgramTrial(child: child, origin: origin).agentVersion(path).text
    }

    func check(_ tried: String?) throws(ControlError) {
        let child = try child()
        if let tried, child.executable != tried {
            let found = child.executable.isEmpty ? "no program" : child.executable
            throw ControlError(
                .failed, "\(child.config) has the child \(child.name) run \(found), whatever is accepted",
                hint: "command = [\"\(Self.program)\", …] is looked for among the accepted copies; a path is not")
        }
        guard let status = child.status, status.executable != child.executable else { return }
        try refuseOtherChanges(child.name)
    }

    /// The plan names another program, so the file is read anew: nothing else of it may come into force by that.
    private func refuseOtherChanges(_ name: String) throws(ControlError) {
        let connection = try place.connect()
        let answer = try connection.answer(
            to: connection.request("diff"), until: ControlConnection.now() + Self.answerMilliseconds)
        let difference = try ControlConnection.json(answer)
        var others = ["groups", "children"].flatMap { difference[$0]?.elements ?? [] }.filter {
            $0["name"]?.text != name
        }
        .compactMap { $0["name"]?.text }
        others += (difference["supervisor"]?.elements ?? []).compactMap(\.text)
        let own = (difference["children"]?.elements ?? []).first { $0["name"]?.text == name }
        let settings = (own?["settings"]?.elements ?? []).compactMap { $0["setting"]?.text }.filter { $0 != "command" }
        guard let first = others.first ?? settings.first.map({ "\(name): \($0)" }) else { return }
        throw ControlError(
            .failed,
            "Supervisor.toml has changes that are not in force yet (\(first)), and this would bring them along",
            hint: "nexusctl diff shows them, nexusctl reload puts them in force; then again")
    }

    /// A run that has just been started is not recycled yet. One that ends meanwhile is not waited for.
    mutating func awaitStable(_ child: AgentChild) throws(ControlError) {
        deadline = options.idleMilliseconds.map { ControlConnection.now() + $0 }
        guard !options.isNow, let status = child.status, status.state == "ready" else { return }
        stable = try StableAfter(child.name, place.connect())
        guard let stable else { return }
        _ = try stable.wait(place, until: deadline, or: "--now") {
            options.say(
                "\(child.name) has just been started: it is tried when that one has been ready for \(stable.words), as soon as"
                    + " the agent is idle (--now does not wait).")
        }
    }

    /// It was started while that was waited for, by its owner or after a crash: so it may be again, at once.
    private func isYoung(_ child: ChildStatus) -> Bool { stable?.left(of: child) != nil }

    func awaitIdle() throws(ControlError) {
        let child = try child()
        guard child.status != nil, !options.isNow else { return }
        let watch = try UpdateWatch(child.name, place)
        let before = watch.begun
        guard before.state == "ready", !isYoung(before) else { return }
        try replaceWhenIdle(child.name, before, watch)
        // Its way to the program is taken away next, and a script, or what unpacks itself, opens its own file after the exec.
        try watch.untilSucceeded(before.run, until: ControlConnection.now() + Self.successionMilliseconds)
    }

    func takeOver(_ tried: String?, isAtOnce: Bool) throws(ControlError) -> Bool {
        let child = try child()
        guard child.status != nil else { return false }
        let watch = try UpdateWatch(child.name, place)
        // Of the nexusd that is watched: the one before may have been killed meanwhile.
        let before = watch.begun
        let isReload = before.executable != child.executable
        guard before.isMeantToRun else {
            // Its next start is by the plan in force.
            if isReload { try reload(watch) }
            return false
        }
        if before.state == "ready", !isAtOnce, !options.isNow, !isYoung(before) {
            try replaceWhenIdle(child.name, before, watch)
            if isReload { try reload(watch) }
        } else if isReload {
            try reload(watch)
        } else {
            try send("restart \(child.name) --no-wait")
        }
        let limit = ControlConnection.now() + options.serveMilliseconds
        _ = try watch.untilReady(executable: child.executable, until: limit)
        return true
    }

    /// As `nexusctl recycle`; returns when the old run serves nobody any more.
    private func replaceWhenIdle(
        _ name: String, _ before: ChildStatus, _ watch: UpdateWatch
    ) throws(ControlError) {
        try send("recycle \(name)")
        let quiet = min(deadline ?? .max, ControlConnection.now() + Self.quietMilliseconds)
        do throws(ControlError) {
            if try watch.untilLeft(before.run, until: quiet) { return }
            options.say("The agent is busy: it is tried as soon as that is over (--now does not wait).")
            if try watch.untilLeft(before.run, until: deadline) { return }
        } catch  where error.code == .interrupted {
            throw ControlError(.interrupted, error.message, hint: Self.recycledAllTheSame)
        }
        throw ControlError(
            .timeout, "\(name) was busy all the time", hint: Self.recycledAllTheSame + "; try it again, or with --now")
    }

    /// What nexusd was asked for is not taken back.
    private static let recycledAllTheSame = "it gets a fresh run of the version that holds when it is idle"

    private func reload(_ watch: UpdateWatch) throws(ControlError) {
        try watch.leaveOut()
        let connection = try place.connect()
        let id = connection.request("reload")
        let limit = ControlConnection.now() + Self.answerMilliseconds
        // Its first line comes when it is in force; how the child fares is watched.
        while let frame = try connection.next(until: limit) {
            guard frame.header.id == id else { continue }
            switch frame.header.kind {
            case .stream, .reply, .end:
                // Of a program that the plan before had named, and that was gone by then.
                return try watch.leaveOutEnd()
            case .error: throw ControlConnection.failure(frame.payload)
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
        throw ControlError(.timeout, "Supervisor.toml was not read in time")
    }

    private func send(_ request: String) throws(ControlError) {
        let connection = try place.connect()
        _ = try connection.answer(
            to: connection.request(request), until: ControlConnection.now() + Self.answerMilliseconds)
    }

    func canary() throws(ControlError) -> String {
        try AgentCanary(place).pass(until: ControlConnection.now() + options.serveMilliseconds)
    }

    /// nexus-config has 10 s for the file, and others may be before us.
    private static let answerMilliseconds: Int64 = 60_000
    private static let quietMilliseconds: Int64 = 2000
    /// For a run that is replaced once more, and that nobody has to wait for longer.
    private static let successionMilliseconds: Int64 = 10_000
}
