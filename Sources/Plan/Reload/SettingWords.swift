import SupervisorCore
import Wire

/// Values of settings in words, as far as they would be written in Supervisor.toml.
enum SettingWords {
    static func time(_ duration: Duration?) -> String { duration.map(DurationText.show) ?? "none" }

    static func restart(_ rule: RestartRule) -> String {
        switch rule {
        case .always: "always"
        case .onFailure: "on-failure"
        case .never: "never"
        }
    }

    static func strategy(_ strategy: Strategy) -> String {
        switch strategy {
        case .oneForOne: "one-for-one"
        case .oneForAll: "one-for-all"
        case .restForOne: "rest-for-one"
        }
    }

    static func retry(_ pause: Duration?) -> String { pause.map { time($0) } ?? "never" }

    static func exits(_ patterns: Set<ExitPattern>) -> String {
        let codes = patterns.compactMap { if case .code(let code) = $0 { code } else { nil } }.sorted()
        let signals = patterns.compactMap { if case .signal(let signal) = $0 { signal } else { nil } }
            .sorted { $0.rawValue < $1.rawValue }
        return (codes.map { "\($0)" } + signals.map(SignalName.show)).list { $0 }
    }

    static func identity(_ identity: Identity?) -> String {
        identity.map { "\($0.user) (uid \($0.uid), gid \($0.gid), groups \($0.groups.list { "\($0)" }))" }
            ?? "nexusd's own"
    }

    static func limit(_ limit: Limit) -> String {
        guard let name = ResourceName(rawValue: limit.resource) else {
            return "\(limit.resource) = \(limit.soft):\(limit.hard)"
        }
        let soft = name.show(limit.soft)
        return "\(name.name) = " + (limit.soft == limit.hard ? soft : "\(soft):\(name.show(limit.hard))")
    }

    static func bound(_ value: (some FixedWidthInteger)?) -> String { value.map { "\($0)" } ?? "none" }

    static func size(_ bytes: UInt64?) -> String { bytes.map(SizeText.show) ?? "none" }

    static func recycle(_ rule: RecycleRule?) -> String {
        rule.map { "above \(size($0.above)), within \(time($0.patience))" } ?? "none"
    }

    /// The sets by the names of capabilities(7).
    static func capabilities(_ sets: Capabilities) -> String {
        "bounding \(sets.bounding.map(CapabilityName.show) ?? "default"), ambient \(CapabilityName.show(sets.ambient))"
    }

    static func socket(_ socket: SocketPlan) -> String {
        let place =
            switch socket.address {
            case .inet(let host, let port): host.map(String.init).joined(separator: ".") + ":\(port)"
            case .inet6(let host, let port):
                "["
                    + stride(from: 0, to: host.count - 1, by: 2)
                    .map { String(UInt16(host[$0]) << 8 | UInt16(host[$0 + 1]), radix: 16) }.joined(separator: ":")
                    + "]:\(port)"
            case .unix(let path): path
            }
        let file = socket.file.map { ", mode 0\(String($0.mode, radix: 8)), user \($0.user), group \($0.group)" } ?? ""
        return "\(socket.name) on \(place), \(socket.kind), backlog \(socket.backlog)\(file)"
    }

    static func log(_ log: LogPlan) -> String {
        "size \(size(log.fileBytes)), files \(log.files), journal \(log.journal), rate "
            + (log.rate.map { "\($0.lines)/\(time($0.window))" } ?? "none")
    }

    static func ready(_ readiness: Readiness, _ rule: ReadyRule, _ plan: Plan) -> String {
        switch readiness {
        case .spawned: return "spawned"
        case .notify: return "notify"
        case .descriptor(let number): return "fd \(number)"
        case .bus: return "bus"
        case .health: return "health"
        case .done: return "done"
        case .logLine(let pattern): return "log-line \(pattern.pieces.map(words).joined())"
        case .probe(let probe):
            guard case .probed(let interval) = rule else { return words(probe, plan) }
            return "\(words(probe, plan)), interval \(time(interval))"
        }
    }

    static func liveness(_ probe: Probe?, _ rule: LivenessRule?, _ plan: Plan) -> String {
        guard let probe, let rule else { return "none" }
        return
            "\(words(probe, plan)), first \(time(rule.first)), interval \(time(rule.interval)), misses \(rule.misses)"
    }

    static func grant(_ grant: WorkerPlan.Grant, _ plan: Plan) -> String {
        func name(_ target: SupervisorCore.Command.Target) -> String {
            switch target {
            case .child(let child): plan[child].name
            case .group(let group): plan.groups[Int(group.rawValue)].name
            case .all: "all"
            }
        }
        return switch grant {
        case .status: "status"
        case .start(let target): "start:\(name(target))"
        case .stop(let target): "stop:\(name(target))"
        case .restart(let target): "restart:\(name(target))"
        case .health(let child): "health:\(plan[child].name)"
        }
    }

    static func text(_ text: Text, _ plan: Plan) -> String {
        text.pieces.map { piece in
            switch piece {
            case .literal(let literal): literal
            case .captured(let child, let name): "{\(plan[child].name).\(name)}"
            case .secret(let index): "{secret.\(plan.secrets[Int(index)].name)}"
            }
        }.joined()
    }

    private static func words(_ probe: Probe, _ plan: Plan) -> String {
        switch probe {
        case .tcp(let host, let port, let timeout): "tcp \(host):\(text(port, plan)), timeout \(time(timeout))"
        case .http(let http):
            "http \(http.host):\(text(http.port, plan))\(http.path), status \(http.statusWords), timeout \(time(http.timeout))"
        case .exec(let executable, let arguments, let timeout):
            "exec \(([executable] + arguments.dropFirst().map { text($0, plan) }).joined(separator: " ")),"
                + " timeout \(time(timeout))"
        }
    }

    private static func words(_ piece: LinePattern.Piece) -> String {
        switch piece {
        case .literal(let text): text
        case .capture(let name): "{\(name)}"
        case .integer(let name): "{\(name):int}"
        }
    }
}

extension SettingWords {
    /// Each variable that is different, by name, and with its values where they can be no secret.
    static func variables(
        from old: [Variable], _ oldPlan: Plan, to new: [Variable], _ newPlan: Plan
    ) -> [SettingChange] {
        let before = Dictionary(old.map { ($0.name, $0.value) }) { _, last in last }
        let after = Dictionary(new.map { ($0.name, $0.value) }) { _, last in last }
        let names = (new + old).map(\.name)
        var seen: Set<String> = []
        let changes = names.filter { seen.insert($0).inserted && before[$0] != after[$0] }.map { name in
            let values = SettingChange.Values(
                from: value(before[name], oldPlan), to: value(after[name], newPlan))
            let isPlain = PlainVariables.canShow(name, [values.from, values.to])
            return SettingChange(name: "environment.\(name)", effect: .restart, values: isPlain ? values : nil)
        }
        // The same variables in another order are given to the process in another order.
        return changes.isEmpty ? [SettingChange(name: "environment", effect: .restart, values: nil)] : changes
    }

    private static func value(_ text: Text?, _ plan: Plan) -> String {
        guard let text else { return "not set" }
        let words = Self.text(text, plan)
        if words.isEmpty { return "empty" }
        return words.count > valueLimit ? words.prefix(valueLimit) + "…" : words
    }

    /// Characters of a variable's value that are shown.
    static let valueLimit = 300

    /// Secrets that a child is given, in either way.
    static func secrets(of child: ChildPlan) -> [UInt16] {
        var secrets = Set(child.secretFiles)
        for variable in child.environment {
            for case .secret(let index) in variable.value.pieces { secrets.insert(index) }
        }
        return secrets.sorted()
    }

    /// The settings of a group; all of them are in place.
    static func changes(
        from old: GroupPolicy, _ oldPlan: Plan, to new: GroupPolicy, _ newPlan: Plan
    ) -> [SettingChange] {
        func rows(_ group: GroupPolicy, _ plan: Plan) -> [(String, String)] {
            [
                ("children", group.children.list { plan[$0].name }), ("strategy", strategy(group.strategy)),
                ("intensity.restarts", bound(group.intensity?.restarts)),
                ("intensity.window", time(group.intensity?.window)), ("slow-retry", retry(group.slowRetry)),
            ]
        }
        return zip(rows(old, oldPlan), rows(new, newPlan)).filter { $0.1 != $1.1 }.map { old, new in
            SettingChange(name: old.0, effect: .inPlace, values: SettingChange.Values(from: old.1, to: new.1))
        }
    }
}

/// Two values that are one setting.
struct Pair<First: Equatable, Second: Equatable>: Equatable {
    let first: First
    let second: Second

    init(_ first: First, _ second: Second) {
        self.first = first
        self.second = second
    }
}

/// A program and its arguments.
struct CommandLine: Equatable {
    let executable: String
    let arguments: [Text]

    init(_ child: ChildPlan) {
        executable = child.executable
        arguments = child.arguments
    }

    func words(_ plan: Plan) -> String {
        ([executable] + arguments.dropFirst().map { SettingWords.text($0, plan) }).joined(separator: " ")
    }
}

extension Sequence {
    /// `[a, b]`.
    func list(_ words: (Element) -> String) -> String { "[" + map(words).joined(separator: ", ") + "]" }
}

extension String {
    /// As a name stands in a list of the file; no name has a quote in it.
    var quoted: String { "\"\(self)\"" }
}

extension Plan {
    /// `none` for a child without one.
    func name(of group: GroupID?) -> String { group.map { groups[Int($0.rawValue)].name } ?? "none" }

    /// `["db", "web"]`, as in the file.
    func names(of children: [ChildID]) -> String { children.list { self[$0].name.quoted } }
}
