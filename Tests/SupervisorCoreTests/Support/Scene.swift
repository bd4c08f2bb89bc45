import Testing

@testable import SupervisorCore

/// A supervisor with a clock of its own and a shell that does nothing by itself: tests say what happens and read, as
/// words, what the core asks for. Children are called a, b, c… in plan order.
struct Scene {
    var supervisor: Supervisor
    var now = Instant(nanoseconds: 0)
    var jitter: UInt16 = 0
    private var commands: UInt64 = 0

    init(
        _ children: [ChildPolicy], groups: [GroupPolicy] = [], logWriter: ChildID? = nil,
        choices: [ChildID: Choice] = [:]
    ) {
        let tree = Tree(children: children, groups: groups, logWriter: logWriter, choices: choices)
        supervisor = Supervisor(tree: tree, second: 1, at: now)
    }

    /// A scene that has begun.
    static func begun(
        _ children: [ChildPolicy], groups: [GroupPolicy] = [], logWriter: ChildID? = nil,
        choices: [ChildID: Choice] = [:]
    ) -> Scene {
        var scene = Scene(children, groups: groups, logWriter: logWriter, choices: choices)
        scene.start()
        return scene
    }

    /// A scene in which every child is ready.
    static func ready(_ children: [ChildPolicy], groups: [GroupPolicy] = [], logWriter: ChildID? = nil) -> Scene {
        var scene = Scene.begun(children, groups: groups, logWriter: logWriter)
        scene.bringAllUp()
        return scene
    }

    @discardableResult
    mutating func start() -> [String] {
        var actions: [Action] = []
        supervisor.start(at: now, jitter: jitter, into: &actions)
        return actions.map(\.words)
    }

    @discardableResult
    mutating func send(_ event: Event) -> [String] {
        var actions: [Action] = []
        supervisor.handle(event, at: now, jitter: jitter, into: &actions)
        return actions.map(\.words)
    }

    /// Lets time pass; ticks come exactly when they are due.
    @discardableResult
    mutating func pass(_ duration: Duration) -> [String] {
        let end = now + duration
        var words: [String] = []
        while let deadline = supervisor.nextDeadline, deadline <= end {
            now = max(now, deadline)
            words += send(.tick)
        }
        now = end
        return words
    }

    /// Lets time pass until the next deadline and does what is due then.
    @discardableResult
    mutating func passToDeadline() -> [String] {
        guard let deadline = supervisor.nextDeadline else { return [] }
        now = max(now, deadline)
        return send(.tick)
    }

    func view(_ child: ChildID) -> ChildView { supervisor.view(of: child) }
    func phase(_ child: ChildID) -> Phase { view(child).phase }
    func phases() -> String {
        supervisor.tree.children.indices.map { phase(ChildID(rawValue: UInt16($0 + 1))).rawValue }
            .joined(separator: " ")
    }

    /// The living run; one that never was where there is none.
    func run(_ child: ChildID) -> RunID { view(child).run ?? RunID(rawValue: 0) }

    @discardableResult
    mutating func cloned(_ child: ChildID) -> [String] { send(.cloned(child, run(child))) }
    @discardableResult
    mutating func spawned(_ child: ChildID) -> [String] { send(.spawned(child, run(child))) }
    @discardableResult
    mutating func ready(_ child: ChildID) -> [String] { send(.ready(child, run(child))) }
    @discardableResult
    mutating func exited(_ child: ChildID, _ exit: Exit) -> [String] { send(.exited(child, run(child), exit)) }
    @discardableResult
    mutating func emptied(_ child: ChildID) -> [String] { send(.emptied(child, run(child))) }

    /// The main process ends and nothing of the run is left, as usual.
    @discardableResult
    mutating func ends(_ child: ChildID, _ exit: Exit = .crash) -> [String] {
        let run = run(child)
        return send(.exited(child, run, exit)) + send(.emptied(child, run))
    }

    /// Spawned, and ready if that has to be said.
    mutating func bringUp(_ child: ChildID) {
        spawned(child)
        if phase(child) == .starting { ready(child) }
    }

    /// Answers every spawn until there are no more.
    mutating func bringAllUp() {
        let children = supervisor.tree.children.indices.map { ChildID(rawValue: UInt16($0 + 1)) }
        while let child = children.first(where: { phase($0) == .starting }) { bringUp(child) }
    }

    /// Ends every run that has been told to stop, until there are no more.
    mutating func endAllStopping() {
        let children = supervisor.tree.children.indices.map { ChildID(rawValue: UInt16($0 + 1)) }
        while let child = children.first(where: { phase($0) == .stopping }) { ends(child, .code(0)) }
    }

    /// A command with a number of its own; the answer reads `answer N …`.
    @discardableResult
    mutating func command(_ command: Command) -> [String] {
        commands += 1
        return send(.command(command, CommandID(rawValue: commands)))
    }

    /// Another tree, with a number of its own for the answer. What the core counts step by step has to agree with
    /// counting anew.
    @discardableResult
    mutating func reload(_ change: TreeChange) -> [String] {
        commands += 1
        var actions: [Action] = []
        supervisor.reload(change, CommandID(rawValue: commands), at: now, jitter: jitter, into: &actions)
        #expect(supervisor.audit() == [])
        return actions.map(\.words)
    }
}

extension ChildID {
    static let a = ChildID(rawValue: 1)
    static let b = ChildID(rawValue: 2)
    static let c = ChildID(rawValue: 3)
    static let d = ChildID(rawValue: 4)
}

extension GroupID {
    static let first = GroupID(rawValue: 0)
}

extension Exit {
    static let crash = Exit.code(1)
    static let killed = Exit.signal(.kill, coreDumped: false, oom: false)
}

extension ChildPolicy {
    /// Ready when it says so, which is what most rules are about.
    static func reporting(
        requires: [ChildID] = [], after: [ChildID] = [], critical: Bool = false, restart: RestartRule = .always,
        enabled: Bool = true
    ) -> ChildPolicy {
        ChildPolicy(
            enabled: enabled, requires: requires, after: after, critical: critical, restart: restart, ready: .reported)
    }
}

/// Nothing else is said in this list but what is asked of the shell.
func deeds(_ words: [String]) -> [String] { words.filter { !$0.hasPrefix("say ") } }
