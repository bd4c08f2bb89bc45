import Wire

/// nexusd's answer to `status`, as far as people read it. Unknown members are ignored and missing ones have a value
/// that claims nothing, so that a newer nexusd can still be looked at.
public struct StatusReport: Hashable, Sendable {
    /// Version of nexusd.
    public var version: String
    /// Its process id.
    public var pid: Int64
    /// What the runs that it has started are numbered by, before the dash.
    public var instance: String
    /// RFC 3339, UTC.
    public var started: String
    /// Since then; nil from a nexusd that does not say it.
    public var uptime: Duration?
    /// `starting`, `running`, `stopping`.
    public var state: String
    /// Every enabled child is ready or done.
    public var ready: Bool
    /// Children have uids of their own.
    public var uidWall: Bool
    /// What containment can promise: `exact`, `whole tree only`.
    public var guarantee: String
    /// Supervisor.toml.
    public var config: String
    /// Things the owner should know before anything else.
    public var notes: [String]
    /// Processes that left their run and cannot be told apart.
    public var strays: [Stray]
    /// How many there are; the answer names the first of them.
    public var strayCount: Int64
    /// Groups in plan order.
    public var groups: [GroupStatus]
    /// Children in plan order.
    public var children: [ChildStatus]

    /// Whether a run was started by this nexusd, and not taken over from one that was killed.
    public func hasStarted(_ run: String) -> Bool { run.hasPrefix(instance + "-") }

    /// Children that run as nexusd does, though others have users of their own: what one of them may, it may to all.
    public var unwalled: [String] {
        uidWall ? children.filter { $0.user == nil && $0.name != "log-writer" }.map(\.name) : []
    }

    /// `web and 2 more run`, as nexusd does; nil: there is none, or none has a user of its own.
    public var unwalledWords: String? {
        guard let first = unwalled.first else { return nil }
        return first + (unwalled.count > 1 ? " and \(unwalled.count - 1) more run" : " runs")
    }

    /// A process that nobody answers for.
    public struct Stray: Hashable, Sendable {
        /// Process id.
        public var pid: Int64
        /// Its short name.
        public var name: String
        /// Whose it was, as far as that is known.
        public var child: String?

        /// As in nexusd's answer.
        public var json: JSONValue {
            let child: JSONValue = child.map { .string($0) } ?? .null
            return .object([.init("pid", .integer(pid)), .init("name", .string(name)), .init("child", child)])
        }

        /// As a sentence.
        public var words: String {
            let whose = child.map { "its run of \(Terminal.clean($0))" } ?? "its run"
            return "process \(pid) (\(Terminal.clean(name))) left \(whose); it is ended at shutdown"
        }
    }

    /// Reads the answer.
    public init(_ json: JSONValue) {
        func text(_ name: String) -> String { json[name]?.text ?? "?" }
        version = text("version")
        pid = json["pid"]?.number ?? 0
        instance = text("instance")
        started = text("started")
        uptime = (json["uptime_ms"]?.number).map { .milliseconds($0) }
        state = text("state")
        ready = json["ready"]?.flag ?? false
        uidWall = json["uid_wall"]?.flag ?? false
        guarantee = text("guarantee")
        config = text("config")
        notes = (json["notes"]?.elements ?? []).compactMap(\.text)
        strays = (json["strays"]?.elements ?? []).map {
            Stray(pid: $0["pid"]?.number ?? 0, name: $0["name"]?.text ?? "?", child: $0["child"]?.text)
        }
        strayCount = json["stray_count"]?.number ?? Int64(strays.count)
        groups = (json["groups"]?.elements ?? []).map(GroupStatus.init)
        children = (json["children"]?.elements ?? []).map(ChildStatus.init)
    }
}

/// One group.
public struct GroupStatus: Hashable, Sendable {
    /// Name.
    public var name: String
    /// `one-for-one`, `one-for-all`, `rest-for-one`.
    public var strategy: String
    /// Names, in order.
    public var children: [String]
    /// `running`, `parked`, `stopped`.
    public var state: String
    /// Until the slow retry of a parked group.
    public var nextTry: Duration?

    /// Reads one element of the answer.
    public init(_ json: JSONValue) {
        name = json["name"]?.text ?? "?"
        strategy = json["strategy"]?.text ?? "?"
        children = (json["children"]?.elements ?? []).compactMap(\.text)
        state = json["state"]?.text ?? "?"
        nextTry = (json["next_try_ms"]?.number).map { .milliseconds($0) }
    }
}

/// One child.
public struct ChildStatus: Hashable, Sendable {
    /// Name.
    public var name = "?"
    /// Its group.
    public var group: String?
    /// Speaks the bus.
    public var isWorker = false
    /// Started with the tree.
    public var isEnabled = true
    /// What an owner chose by command against the file: `on`, `off`.
    public var choice: String?
    /// Not in the file any more, and not empty yet.
    public var isRemoved = false
    /// The word of the phase.
    public var state = "?"
    /// It runs, or is started again, by the clock too.
    public var isMeantToRun: Bool { state != "off" && state != "done" }
    /// How long it has been there.
    public var since: Duration?
    /// Main process.
    public var pid: Int64?
    /// Living run.
    public var run: String?
    /// Whose process it is.
    public var user: String?
    /// What containment can promise of it: `exact`, `exact while it stays`, `whole tree only`.
    public var guarantee: String?
    /// Why it is where it is.
    public var cause: String?
    /// What it waits for.
    public var waitsFor: String?
    /// The same in words, or what a start waits for.
    public var awaits: String?
    /// Until the timeout of a start, or of a step of a stop.
    public var limit: Duration?
    /// A fresh run is to come for the one that is ready.
    public var recycle: Recycle?
    /// The worker that starts it, where it is off in the file.
    public var startedBy: String?
    /// It went down with the tree, which is being ended.
    public var isStoppedWithTree = false
    /// It is being stopped by command, and a run follows its end.
    public var startsAgain = false
    /// Until the next try.
    public var nextTry: Duration?
    /// The clock starts it.
    public var isScheduled = false
    /// Times at which it did not run because it was running still.
    public var skippedRuns: Int64 = 0
    /// Runs executed after an end that nobody asked for.
    public var restarts: Int64 = 0
    /// Unstable runs in a row.
    public var unstableRuns: Int64 = 0
    /// What the child says about itself.
    public var status: String?
    /// Why it is not healthy.
    public var health: String?
    /// What was captured from it, by name.
    public var values: [JSONValue.Member] = []
    /// What is executed.
    public var executable: String?
    /// How its last run ended.
    public var lastEnd: LastEnd?

    /// Why a run is to be replaced, and when.
    public struct Recycle: Hashable, Sendable {
        /// Bytes that it has grown above; nil: an owner asked.
        public var above: Int64?
        /// Not before that.
        public var notBefore: Duration
        /// At the latest.
        public var within: Duration
        /// As soon as it is idle, which somebody says.
        public var isWhenIdle: Bool
    }

    /// An end record.
    public struct LastEnd: Hashable, Sendable {
        /// Run id.
        public var run = "?"
        /// Cause.
        public var cause = "?"
        /// `exit 1`, `signal 9 (KILL)`, ….
        public var exit = "?"
        /// What is known beyond that: which socket could not be had, what a probe got.
        public var detail: String?
        /// How long the run lived.
        public var ran: Duration?
        /// How long ago it ended.
        public var ago: Duration?
        /// Processor time it took.
        public var cpu: Duration?
        /// The most memory it had at a time, in bytes.
        public var peakBytes: Int64?
    }

    /// Reads one element of the answer. One pass over the members: with a thousand children, looking up each name would cost
    /// more than everything else.
    public init(_ json: JSONValue) {
        for member in json.members {
            let value = member.value
            switch member.name {
            case "name": name = value.text ?? "?"
            case "group": group = value.text
            case "worker": isWorker = value.flag ?? false
            case "enabled": isEnabled = value.flag ?? true
            case "choice": choice = value.text
            case "removed": isRemoved = value.flag ?? false
            case "state": state = value.text ?? "?"
            case "since_ms": since = value.number.map { .milliseconds($0) }
            case "pid": pid = value.number
            case "run": run = value.text
            case "user": user = value.text
            case "guarantee": guarantee = value.text
            case "cause": cause = value.text
            case "waits_for": waitsFor = value.text
            case "awaits": awaits = value.text
            case "limit_ms": limit = value.number.map { .milliseconds($0) }
            case "recycle": recycle = value.members.isEmpty ? nil : Recycle(value)
            case "started_by": startedBy = value.text
            case "stopped_with_tree": isStoppedWithTree = value.flag ?? false
            case "starts_again": startsAgain = value.flag ?? false
            case "scheduled": isScheduled = value.flag ?? false
            case "skipped_runs": skippedRuns = value.number ?? 0
            case "next_try_ms": nextTry = value.number.map { .milliseconds($0) }
            case "restarts": restarts = value.number ?? 0
            case "unstable_runs": unstableRuns = value.number ?? 0
            case "status": status = value.text
            case "health": health = value.text
            case "values": values = value.members
            case "executable": executable = value.text
            case "last_end": lastEnd = value.members.isEmpty ? nil : LastEnd(value)
            case _: break
            }
        }
    }
}

extension ChildStatus.Recycle {
    init(_ json: JSONValue) {
        above = json["above_bytes"]?.number
        notBefore = .milliseconds(json["not_before_ms"]?.number ?? 0)
        within = .milliseconds(json["within_ms"]?.number ?? 0)
        isWhenIdle = json["when_idle"]?.flag ?? false
    }
}

extension ChildStatus.LastEnd {
    init(_ json: JSONValue) {
        run = json["run"]?.text ?? "?"
        cause = json["cause"]?.text ?? "?"
        exit = json["exit"]?.text ?? "?"
        detail = json["detail"]?.text
        ran = (json["ran_ms"]?.number).map { .milliseconds($0) }
        ago = (json["ended_ms_ago"]?.number).map { .milliseconds($0) }
        cpu = (json["cpu_ms"]?.number).map { .milliseconds($0) }
        peakBytes = json["peak_bytes"]?.number
    }
}
