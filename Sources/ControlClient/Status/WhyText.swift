import Wire

/// The words of `nexusctl why`: how a child is, what rule applies, what comes next, what to do, which settings decide it,
/// and what its last run said.
public struct WhyText: Hashable, Sendable {
    private let status: ChildStatus
    private let answer: JSONValue
    private let file: String?
    private let beside: Beside

    /// What nexusd's answer does not have.
    public struct Beside: Hashable, Sendable {
        /// What its program names to carry it out and is not there, where the program itself is.
        public var missing: ProgramHead.Carrier?
        /// What the clock says.
        public var now: WallTime?
        /// Of processes that left its run, or may have.
        public var strays: [String] = []

        /// Nothing.
        public init() {}
    }

    /// nexusd's answer to `why`, and the text of Supervisor.toml where it may be read.
    public init(_ answer: JSONValue, file: String? = nil, beside: Beside = Beside()) {
        status = ChildStatus(answer["child"] ?? .null)
        self.answer = answer
        self.file = file
        self.beside = beside
    }

    /// The program of whose interpreter or loader something has to be known: its last exec found no file, be it that or this.
    public static func programWithoutFile(_ answer: JSONValue) -> String? {
        let child = ChildStatus(answer["child"] ?? .null)
        guard child.lastEnd?.exit.hasPrefix("exec: ") ?? false, child.lastEnd?.exit.contains("ENOENT") ?? false else {
            return nil
        }
        return child.executable
    }

    // Of what stands behind the titles.
    static let indent = 11

    /// Path of the file that the settings are in.
    public static func config(of answer: JSONValue) -> String? { answer["config"]?.text }

    /// Some lines, each ending in a newline.
    public func text(for terminal: Terminal) -> String {
        let since = status.since.map { " since \($0.spoken)" } ?? ""
        let name = Terminal.clean(status.name)
        let words = status.words(isExplained: true)
        let plain = "\(name) is \(status.state)\(since)" + (words.isEmpty ? "" : ": \(words)")
        // The first line carries the colours, which are no columns; the rest are words of others.
        let start = "\(name) is \(status.state)"
        let folded = terminal.folded(plain, indent: 2)
        let coloured = "\(terminal.styled(name, .bold)) is \(terminal.styled(status.state, status.style))"
        let head = folded.hasPrefix(start) ? coloured + folded.dropFirst(start.count) : folded
        let said = saidLines.map { terminal.folded(Terminal.clean($0), indent: 6) }
        let told = (lifeLines + ruleLines).map { terminal.folded(Terminal.clean($0), indent: Self.indent) }
        return ([head] + told + said).joined(separator: "\n") + "\n"
    }

    private var lifeLines: [String] {
        var lines: [String] = []
        if let run = status.run { lines.append("  run      \(run), pid \(status.pid.map(String.init) ?? "-")") }
        if let executable = status.executable, !executable.isEmpty { lines.append("  executes \(executable)") }
        if let guarantee = status.guarantee { lines.append("  contains \(guarantee)") }
        lines += beside.strays.map { "  stray    \($0)" }
        if let health = status.health { lines.append("  health   \(health)") }
        if let end = status.lastEnd {
            let ran = end.ran.map { ", after \($0.spokenFinely)" } ?? ""
            let ago = end.ago.map { ", \($0.spoken) ago" } ?? ""
            let took = [
                end.cpu.map { "\($0.spokenFinely) of processor time" }, end.peakBytes.map { "\($0 >> 20) MiB at most" },
            ]
            .compactMap { $0 }.joined(separator: ", ")
            lines.append("  last end \(end.exit) (cause \(end.cause))\(ran)\(ago); run \(end.run)")
            if let detail = end.detail { lines.append("  because  \(detail)") }
            if !took.isEmpty { lines.append("  it took  \(took)") }
        }
        return lines + ["  restarts \(status.restarts), unstable in a row \(status.unstableRuns)"]
    }

    /// When the clock starts it next, where that is no matter of seconds.
    private var nextRun: String? {
        guard status.state == "scheduled", let now = beside.now, let next = status.nextTry, next >= .seconds(60) else {
            return nil
        }
        return now.advanced(by: next).local
    }

    private var ruleLines: [String] {
        var lines: [String] = []
        let members = [
            ("cause   ", "cause_rule"), ("rule    ", "rule"), ("next    ", "next"), ("gives up", "gives_up"),
        ]
        for (title, member) in members {
            // A child that nothing is expected of is not given up either.
            if member == "gives_up", status.state == "off" || status.state == "done" { continue }
            if let words = answer[member]?.text { lines.append("  \(title) \(words)") }
            if member == "next", let nextRun { lines.append("  when     \(nextRun)") }
        }
        if let words = Remedy.words(
            for: status, hasLines: !(answer["last_lines"]?.elements ?? []).isEmpty, missing: beside.missing)
        {
            lines.append("  do       \(words)")
        }
        if answer["built_in"]?.flag ?? false {
            lines.append("  setting  none: \(status.name) is built in and has no table of its own\(logTable)")
        }
        return lines + Self.settingLines(of: answer, in: file)
    }

    /// The keys that decide, with their values in force and their places in the file.
    static func settingLines(of answer: JSONValue, in file: String?) -> [String] {
        (answer["settings"]?.elements ?? []).compactMap { setting in
            guard let key = setting["key"]?.text, let value = setting["value"]?.text else { return nil }
            // What nexusd keeps for itself, as a command line, has no value here.
            let place = file.map { Self.place(of: key, in: $0, answer) } ?? ""
            return "  setting  \(key)\(value == "…" ? "" : " = " + value)\(place)"
        }
    }

    /// log-writer's is the table of all logs.
    private var logTable: String { status.name == "log-writer" ? "; [log] says what it keeps" : "" }

    private static func place(of key: String, in file: String, _ answer: JSONValue) -> String {
        guard let path = config(of: answer) else { return "" }
        switch SettingPlace(of: key, in: file) {
        case .written(let line): return ", \(path):\(line)"
        case .table(let line): return ", the default; its table is \(path):\(line)"
        case .missing: return ", the default; not in \(path)"
        }
    }

    private var saidLines: [String] {
        let said = (answer["last_lines"]?.elements ?? []).compactMap(\.text)
        return said.isEmpty ? [] : ["  its last lines\(whose):"] + said.map { "    " + $0 }
    }

    /// Of which run they are; a nexusd of a version before this one does not say it.
    private var whose: String {
        guard let run = answer["last_lines_run"]?.text else { return "" }
        if run == status.run { return ", of run \(run), which is there now" }
        return ", of run \(run), which ended"
    }
}
