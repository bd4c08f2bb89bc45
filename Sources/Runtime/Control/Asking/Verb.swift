import Plan
import SupervisorCore
import Wire

/// A request to nexusd itself, from a control client or from a worker: the words of its payload, understood.
enum Verb: Hashable, Sendable {
    case status(ChildID?)
    case tree
    case version
    case why(ChildID)
    case whyGroup(GroupID)
    /// What is in force of a child.
    case settings(ChildID)
    case history(ChildID?)
    case metrics
    case events
    /// Children, and groups for those of their children that are meant to run; none: all.
    case waitReady([Command.Target])
    case isReady([Command.Target])
    /// What a reload would change.
    case diff
    /// The file anew.
    case reload
    /// nexusd goes on as the program that is installed now.
    case upgrade
    case change(Change, Command.Target, wait: Bool)
    /// A signal to the main process of a child; what follows from it is judged as if it came from anywhere else.
    case signal(ChildID, Signal)
    /// A child's run is to be replaced because it is idle now.
    case recycle(ChildID)
    /// What somebody wants to be read among the events of a child.
    case note(ChildID, String)

    /// The verbs that change something; each use of one is audited.
    enum Change: String, Hashable, Sendable, CaseIterable {
        case start, stop, restart, reset

        func command(_ target: Command.Target) -> Command {
            switch self {
            case .start: .start(target)
            case .stop: .stop(target)
            case .restart: .restart(target)
            case .reset: .reset(target)
            }
        }
    }

    /// True for the verbs of the control class; the others only read.
    var isControl: Bool {
        switch self {
        case .change, .signal, .reload, .upgrade, .recycle, .note: true
        case .diff, .status, .tree, .version, .why, .whyGroup, .settings, .history, .metrics, .events, .waitReady,
            .isReady:
            false
        }
    }

    /// Longest request to nexusd itself, in bytes.
    static let requestLimit = 4096

    /// Reads the words; every refusal says what would have been right.
    init(_ payload: some Sequence<UInt8>, names: TreeNames) throws(VerbError) {
        let bytes = Array(payload)
        guard bytes.count <= Self.requestLimit else {
            throw VerbError(.tooLarge, "a request to nexusd has at most \(Self.requestLimit) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw VerbError(.badRequest, "the request is not UTF-8")
        }
        var words = text.split(separator: " ")[...]
        guard let verb = words.popFirst() else { throw VerbError(.badRequest, "the request is empty") }
        if let change = Change(rawValue: String(verb)) {
            self = try Self.change(change, words, names)
            return
        }
        switch verb {
        case "status":
            let name = try Self.atMostOne(words, verb)
            self = .status(try name.map { name throws(VerbError) in try names.needChild(name) })
        case "history":
            let name = try Self.atMostOne(words, verb)
            self = .history(try name.map { name throws(VerbError) in try names.needChild(name) })
        case "why": self = try Self.why(words, names)
        case "settings": self = .settings(try Self.child(words, verb, names))
        case "signal": self = try Self.signal(words, names)
        case "wait-ready": self = .waitReady(try Self.targets(words, names))
        case "is-ready": self = .isReady(try Self.targets(words, names))
        case "recycle": self = .recycle(try Self.child(words, verb, names))
        case "note": self = try Self.note(words, names)
        case "tree": self = try Self.alone(.tree, words, verb)
        case "version": self = try Self.alone(.version, words, verb)
        case "events": self = try Self.alone(.events, words, verb)
        case "metrics": self = try Self.alone(.metrics, words, verb)
        case "upgrade": self = try Self.alone(.upgrade, words, verb)
        case "diff": self = try Self.alone(.diff, words, verb)
        case "reload":
            guard words.allSatisfy({ $0 == "--dry-run" }) else {
                throw VerbError(.badRequest, "reload takes nothing but --dry-run: it is for the whole file")
            }
            self = words.isEmpty ? .reload : .diff
        case _:
            let hint = Nearest.hintOrList(for: String(verb.prefix(40)), among: Self.all, of: "verb")
            let list = hint.isEmpty ? "; there are " + Self.all.joined(separator: ", ") : hint
            throw VerbError(.badRequest, "'\(verb.prefix(40))' is no verb\(list)")
        }
    }

    private static let all =
        [
            "status", "tree", "version", "why", "settings", "history", "metrics", "events", "wait-ready", "is-ready",
            "diff",
            "reload", "upgrade", "signal", "recycle", "note",
        ]
        + Change.allCases.map(\.rawValue)

    private static func alone(
        _ verb: Verb, _ words: ArraySlice<Substring>, _ name: Substring
    ) throws(VerbError) -> Verb {
        guard words.isEmpty else { throw VerbError(.badRequest, "\(name) takes no further words") }
        return verb
    }

    private static func change(
        _ change: Change, _ words: ArraySlice<Substring>, _ names: TreeNames
    ) throws(VerbError) -> Verb {
        var wait = true
        var target: Command.Target?
        for word in words {
            if word == "--no-wait" {
                wait = false
            } else if target == nil {
                target = try names.needTarget(word)
            } else {
                throw VerbError(
                    .badRequest, "\(change.rawValue) takes one name, '\(word.prefix(40))' is a second one")
            }
        }
        guard let target else {
            throw VerbError(.badRequest, "\(change.rawValue) needs the name of a child or a group, or 'all'")
        }
        return .change(change, target, wait: wait)
    }

    private static func signal(_ words: ArraySlice<Substring>, _ names: TreeNames) throws(VerbError) -> Verb {
        guard let name = words.first, let word = words.dropFirst().first, words.count == 2 else {
            throw VerbError(.badRequest, "signal takes the name of a child and a signal: signal NAME HUP")
        }
        guard let signal = Signal(named: word) else {
            let said = word.prefix(20)
            let names = SignalName.allNames
            let near = Nearest.hint(
                for: String(said), among: said.hasPrefix("SIG") ? names : names.map { String($0.dropFirst(3)) })
            throw VerbError(
                .badRequest,
                "'\(said)' is no signal"
                    + (near.isEmpty ? ": HUP, SIGHUP and 1 are the same one, SIGRTMIN+30 and 64 the last" : near))
        }
        return .signal(try names.needChild(name), signal)
    }

    private static func note(_ words: ArraySlice<Substring>, _ names: TreeNames) throws(VerbError) -> Verb {
        guard let name = words.first, words.count > 1 else {
            throw VerbError(.badRequest, "note takes the name of a child and what is to be read of it: note NAME WORDS")
        }
        let child = try names.needChild(name)
        // Whoever reads the log takes it for one line of plain text.
        return .note(child, ControlText.escaped(String(words.dropFirst().joined(separator: " ").prefix(noteLimit))))
    }

    /// Longest note that is kept, in characters.
    private static let noteLimit = 1000

    private static func child(
        _ words: ArraySlice<Substring>, _ verb: Substring, _ names: TreeNames
    ) throws(VerbError) -> ChildID {
        guard let name = try atMostOne(words, verb) else {
            throw VerbError(.badRequest, "\(verb) needs the name of a child")
        }
        return try names.needChild(name)
    }

    private static func atMostOne(
        _ words: ArraySlice<Substring>, _ verb: Substring
    ) throws(VerbError) -> Substring? {
        guard words.count <= 1 else { throw VerbError(.badRequest, "\(verb) takes at most one name") }
        return words.first
    }

    private static func why(_ words: ArraySlice<Substring>, _ names: TreeNames) throws(VerbError) -> Verb {
        guard let name = try atMostOne(words, "why") else {
            throw VerbError(.badRequest, "why needs the name of a child or a group")
        }
        switch try names.needTarget(name) {
        case .child(let child): return .why(child)
        case .group(let group): return .whyGroup(group)
        case .all: throw VerbError(.badRequest, "why is of one child or one group; `status` shows all")
        }
    }

    private static func targets(
        _ words: ArraySlice<Substring>, _ names: TreeNames
    ) throws(VerbError) -> [Command.Target] {
        var targets: [Command.Target] = []
        for word in words { targets.append(try names.needTarget(word)) }
        return targets
    }
}

/// Why a request is answered by an `error` frame.
struct VerbError: Error, Hashable, Sendable {
    /// See docs/control-protocol.md.
    let code: BusErrorCode
    /// What is wrong and what would be right.
    let message: String

    init(_ code: BusErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }
}
