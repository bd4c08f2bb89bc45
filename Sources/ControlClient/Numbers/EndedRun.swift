import Wire

/// How one run ended: an end record as `nexusctl history` shows it.
public struct EndedRun: Hashable, Sendable {
    /// Name of the child.
    public var child: String
    /// Run id.
    public var run: String
    /// When it was over.
    public var ended: WallTime
    /// From the spawn to the end; nil where nobody saw the end, and it was only found later that there had been one.
    public var ran: Duration?
    /// From the spawn to the first ready; nil if it never was, or nobody knows.
    public var ready: Duration?
    /// Cause; `unknown` when nobody saw the end.
    public var cause: String
    /// `exit 1`, `signal 9 (KILL)`, ….
    public var exit: String
    /// What is known of the end beyond its exit, in nexusd's words.
    public var detail: String?
    /// Exit code, if there was one.
    public var code: Int64?
    /// Signal number, if there was one.
    public var signal: Int64?
    /// Processor time of the main process and those it waited for.
    public var cpu: Duration?
    /// The largest resident set among these.
    public var peakBytes: Int64?

    /// One element of `ends` in nexusd's answer to `history`; nil without a run or an instant.
    public init?(child: String, _ json: JSONValue) {
        guard let run = json["run"]?.text, let ended = json["ended_ms"]?.number,
            !ended.multipliedReportingOverflow(by: 1_000_000).overflow
        else { return nil }
        self.child = child
        self.run = run
        self.ended = WallTime(nanosecondsSince1970: ended * 1_000_000)
        ran = json["ran_ms"]?.number.map { .milliseconds($0) }
        ready = json["ready_ms"]?.number.map { .milliseconds($0) }
        cause = json["cause"]?.text ?? "unknown"
        exit = json["exit"]?.text ?? "?"
        detail = json["detail"]?.text
        code = json["code"]?.number
        signal = json["signal"]?.number
        cpu = json["cpu_ms"]?.number.map { .milliseconds($0) }
        peakBytes = json["peak_bytes"]?.number
    }

    /// A line of log-writer's book. `facts` is the JSON behind its words, where there is any.
    public init(child: String, run: String, started: WallTime?, ended: WallTime, words: String, facts: JSONValue?) {
        func number(_ name: String) -> Int64? { facts?[name]?.text.flatMap { Int64($0) } }
        func duration(_ name: String) -> Duration? { number(name).map { .milliseconds($0) } }
        self.child = child
        self.run = run
        self.ended = ended
        // Without facts `ended` is when a later nexusd found out.
        ran = duration("RAN_MS") ?? (facts == nil ? nil : started.map { ended - $0 })
        ready = duration("READY_MS")
        cause = facts?["CAUSE"]?.text ?? "unknown"
        exit = facts?["EXIT"]?.text ?? words
        detail = facts?["DETAIL"]?.text
        code = number("EXIT_CODE")
        signal = number("SIGNAL")
        cpu = duration("CPU_MS")
        peakBytes = number("PEAK_BYTES")
    }

    /// For `--json`.
    public var json: JSONValue {
        func milliseconds(_ duration: Duration?) -> JSONValue {
            guard let duration else { return .null }
            let (seconds, attoseconds) = duration.components
            return .integer(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        }
        func number(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }
        return .object([
            .init("child", .string(child)), .init("run", .string(run)), .init("ended", .string(ended.rfc3339)),
            .init("cause", .string(cause)), .init("exit", .string(exit)),
            .init("detail", detail.map { .string($0) } ?? .null), .init("code", number(code)),
            .init("signal", number(signal)), .init("ran_ms", milliseconds(ran)),
            .init("ready_ms", milliseconds(ready)), .init("cpu_ms", milliseconds(cpu)),
            .init("peak_bytes", number(peakBytes)),
        ])
    }
}

extension [EndedRun] {
    /// Every run once, oldest end first. Of a run that several tell of the first of them counts; what only a later one knows
    /// beyond the exit is added.
    public init(merging sources: [[EndedRun]]) {
        var runs: [String: EndedRun] = [:]
        for end in sources.joined() {
            runs[end.run] = runs[end.run] ?? end
            if runs[end.run]?.detail == nil { runs[end.run]?.detail = end.detail }
        }
        self = runs.values.sorted { ($0.ended, $0.run) < ($1.ended, $1.run) }
    }

    /// What `nexusctl history` prints. How a run ended says most: a narrow terminal leaves out the rest, and of a long name
    /// its end.
    public func table(for terminal: Terminal) -> String {
        let hasNumbers = terminal.columns.map { $0 >= 120 } ?? true
        let hasRun = terminal.columns.map { $0 >= 100 } ?? true
        let head = ["ENDED", "CHILD"] + (hasRun ? ["RUN"] : []) + ["RAN"] + (hasNumbers ? ["CPU", "PEAK"] : [])
        let ran = hasRun ? 3 : 2
        var table = TextTable(
            rightAligned: hasNumbers ? [ran, ran + 1, ran + 2] : [ran], yielding: .init(column: 1, last: 24))
        table.append((head + ["CAUSE", "HOW"]).map { TextTable.Cell($0, .dim) })
        for end in self {
            let numbers: [TextTable.Cell] = [
                .init(end.cpu?.spokenFinely ?? "-"), .init(end.peakBytes.map(ByteText.spoken) ?? "-"),
            ]
            var cells: [TextTable.Cell] = [
                .init(hasNumbers ? end.ended.rfc3339 : end.ended.rfc3339.prefix(19) + "Z", .dim),
                .init(Terminal.clean(end.child)),
            ]
            if hasRun { cells.append(.init(Terminal.clean(end.run), .dim)) }
            cells.append(.init(end.ran?.spokenFinely ?? "-"))
            if hasNumbers { cells += numbers }
            cells.append(.init(Terminal.clean(end.cause), end.style))
            cells.append(.init(Terminal.clean(end.exit + (end.detail.map { ": " + $0 } ?? ""))))
            table.append(cells)
        }
        return table.rendered(for: terminal)
    }
}

extension EndedRun {
    // What was wanted is quiet; what nobody wanted is not.
    fileprivate var style: Terminal.Style {
        switch cause {
        case "done", "asked", "recycled", "dependency": .dim
        case "unknown", "network": .yellow
        case _: .red
        }
    }
}

/// Sizes as people say them.
public enum ByteText {
    /// `512 B`, `9.8 KiB`, `42 MiB`.
    public static func spoken(_ bytes: Int64) -> String {
        var (size, unit) = (bytes, 0)
        var tenths: Int64 = 0
        while size >= 1024, unit < 4 {
            tenths = size % 1024 * 10 / 1024
            size /= 1024
            unit += 1
        }
        let name = ["B", "KiB", "MiB", "GiB", "TiB"][unit]
        return unit > 0 && size < 10 ? "\(size).\(tenths) \(name)" : "\(size) \(name)"
    }
}
