import SupervisorCore
import Wire

/// What waits for nexus-config: one run at a time, records before everything else, for whoever waits for one has been
/// obeyed already.
struct ConfigDesk {
    /// Looks and reloads that may wait beside the one that runs; one more is told `busy`.
    static let waitingLimit = 8

    /// Who waits for an answer.
    struct Asker {
        let id: FrameID
        let peer: PeerID
    }

    /// A wish for the plan of the file as it is now.
    enum Wish {
        /// To show what would be different.
        case diff(Asker)
        /// To put it in force; nil: by SIGHUP, nobody waits for the answer.
        case reload(Asker?)
        /// For the next times of calendars that are nearly used up; nothing else of it is used.
        case times

        /// The request it answers.
        var id: FrameID? {
            switch self {
            case .diff(let asker): asker.id
            case .reload(let asker): asker?.id
            case .times: nil
            }
        }
    }

    /// What the run that is under way is for.
    enum Purpose {
        case wish(Wish)
        case record([CommandID], [ChildID: Choice?])
        /// Nobody waits for it any more.
        case nothing
    }

    /// The one that is under way.
    private(set) var current: (run: ConfigRun, purpose: Purpose)?
    private var wishes: [Wish] = []
    /// What is to be recorded next, with what could not be recorded before.
    private var choices: [ChildID: Choice?] = [:]
    private var commands: [CommandID] = []
    /// What was in the way of a record is gone: it is tried again though no command asks for it.
    private var isOwed = false
    /// Commands whose choice is not recorded yet, with what they came to meanwhile.
    private var outcomes: [CommandID: CommandOutcome?] = [:]
    /// Commands that go on, whose choice could not be recorded, and why.
    private var failures: [CommandID: String] = [:]

    /// When the run under way is killed.
    var deadline: Instant? { current?.run.deadline }

    /// True while a choice is not on disk yet.
    var isRecording: Bool { !outcomes.isEmpty }

    /// False when too many wait. A second SIGHUP while one waits wishes for the same.
    mutating func add(_ wish: Wish) -> Bool {
        if wishes.contains(where: { $0.isCovered(by: wish) }) { return true }
        guard wishes.count < Self.waitingLimit else { return false }
        wishes.append(wish)
        return true
    }

    /// Choices to be recorded; `command` is not answered before.
    mutating func add(_ news: [(child: ChildID, choice: Choice?)], of command: CommandID) {
        for (child, choice) in news { choices[child] = .some(choice) }
        commands.append(command)
        outcomes[command] = .some(nil)
    }

    /// True when the command has to wait for its record; what it came to is kept until then.
    mutating func keep(_ outcome: CommandOutcome, of command: CommandID) -> Bool {
        guard outcomes[command] != nil else { return false }
        outcomes[command] = .some(outcome)
        return true
    }

    /// The records of these are done, or failed: what they came to, where that is known already.
    mutating func release(
        _ commands: [CommandID], problem: String?
    ) -> [(command: CommandID, outcome: CommandOutcome)] {
        commands.compactMap { command in
            failures[command] = problem
            return outcomes.removeValue(forKey: command).flatMap { $0 }.map { (command, $0) }
        }
    }

    /// The choice of this child is not on disk: it is still to be written, is being written, or could not be.
    func isUnwritten(_ child: ChildID) -> Bool {
        if choices.keys.contains(child) { return true }
        guard case .record(_, let underWay) = current?.purpose else { return false }
        return underWay.keys.contains(child)
    }

    /// What could not be recorded is tried again before anything else; nobody waits for it.
    mutating func tryAgain() { isOwed = isOwed || !choices.isEmpty }

    /// These could not be recorded: the next record has them too, but for what was chosen anew since.
    mutating func owe(_ failed: [ChildID: Choice?]) { choices.merge(failed) { newer, _ in newer } }

    /// Why the choice of a command that is answered now is not on disk; nil: it is, or there was none.
    mutating func takeFailure(of command: CommandID) -> String? { failures.removeValue(forKey: command) }

    /// What is next, if nothing is under way, or nothing will come of what is.
    mutating func next(_ names: TreeNames) -> (ConfigTask, Purpose)? {
        guard current == nil || stuck != nil else { return nil }
        if !commands.isEmpty || isOwed {
            let task = ConfigTask.record(
                choices.sorted { $0.key < $1.key }.map { (name: names[$0.key], choice: $0.value) })
            defer {
                choices = [:]
                commands = []
                isOwed = false
            }
            return (task, .record(commands, choices))
        }
        guard !wishes.isEmpty else { return nil }
        let wish = wishes.removeFirst()
        switch wish {
        case .diff, .times: return (.plan(looks: true), .wish(wish))
        case .reload: return (.plan(looks: false), .wish(wish))
        }
    }

    mutating func begin(_ run: ConfigRun, _ purpose: Purpose) { current = (run, purpose) }

    /// Takes the run that is over.
    mutating func takeFinished() -> (outcome: ConfigRun.Outcome, purpose: Purpose)? {
        guard let (run, purpose) = current, run.isOver else { return nil }
        isOwed = (isOwed || run.outlivesKill) && !choices.isEmpty
        current = nil
        return (run.finish(), purpose)
    }

    /// What came of the run that outlives SIGKILL, for a disk in its way stands still. Nobody waits for it any more, and
    /// until it is gone all else that needs nexus-config comes to the same.
    var stuck: ConfigRun.Outcome? { current.flatMap { $0.run.outlivesKill ? $0.run.stuck : nil } }

    /// Who waits for that run; once.
    mutating func takeStuck() -> (outcome: ConfigRun.Outcome, purpose: Purpose)? {
        guard let stuck, let purpose = current?.purpose else { return nil }
        if case .nothing = purpose { return nil }
        current?.purpose = .nothing
        return (stuck, purpose)
    }

    /// The tree ends: who waits for a plan gets none, and a plan that is being made is given up. Records go on.
    mutating func giveUpWishes() -> [Wish] {
        var given = wishes
        wishes = []
        if case .wish(let wish) = current?.purpose {
            current?.run.stop()
            // Answered now: the tree may be at its end before that run is.
            current?.purpose = .nothing
            given.append(wish)
        }
        return given
    }

    /// Nobody waits for this any more.
    mutating func forget(_ id: FrameID) { wishes.removeAll { $0.id == id } }
}

extension ConfigDesk.Wish {
    /// Nobody waits for either, and both are for the same.
    fileprivate func isCovered(by other: Self) -> Bool {
        switch (self, other) {
        case (.reload(nil), .reload(nil)), (.times, .times): true
        case (.reload, _), (.diff, _), (.times, _): false
        }
    }
}
