import SupervisorCore
import Wire

extension LogEvent {
    /// A record of the core as it goes to the log: a sentence, and every fact of it as a field of its own.
    /// - Parameters:
    ///   - usage: what an ended run took.
    ///   - detail: what is known of its end beyond the exit.
    init(
        _ record: Record, names: TreeNames, at now: Instant, usage: RunUsage = RunUsage(), detail: String? = nil
    ) {
        switch record {
        case .starting(let child, let run):
            self.init(.starting, 6, "Starting \(names[child]).", names[child], run, book: .starting)
        case .ready(let child, let run):
            self.init(.ready, 6, "\(names[child]) is ready.", names[child], run)
        case .stopping(let child, let run, let cause):
            self.init(
                .stopping, 6, "Stopping \(names[child]) (\(cause.rawValue)).", names[child], run, [.cause(cause)])
        case .killing(let child, let run):
            let sentence = "\(names[child]) did not end in time; what is left of it is killed."
            self.init(.killing, 4, sentence, names[child], run)
        case .ended(let end):
            self.init(end, names: names, usage: usage, detail: detail)
        case .delayed(let child, let until, let cause):
            let sentence = "\(names[child]) is started again in \((until - now).words) (\(cause.rawValue))."
            self.init(.delayed, 5, sentence, names[child], nil, [.cause(cause), .nextTry(until - now)])
        case .parked(let child, let cause, let sequel):
            let sentence = "\(names[child]) is \(sequel.givenUp) (\(cause.rawValue)); "
            self.init(
                .parked, 3, sentence + sequel.words(names[child], at: now), names[child], nil,
                [.cause(cause)] + (sequel.retry.map { [.nextTry($0 - now)] } ?? []))
        case .groupParked(let group, let because, let sequel):
            let sentence = "Group \(names[group]) is \(sequel.givenUp) because of \(names[because]); "
            self.init(
                .groupParked, 3, sentence + sequel.words(names[group], at: now), nil, nil,
                [Field(name: "GROUP", value: names[group]), Field(name: "BECAUSE", value: names[because])]
                    + (sequel.retry.map { [.nextTry($0 - now)] } ?? []))
        case .skipped(let child, let times):
            let sentence =
                "\(names[child]) was to run \(times == 1 ? "once" : "\(times) times") more, and did not: it runs still, or cannot."
            self.init(
                .skipped, 4, sentence, names[child], nil, [Field(name: "SKIPPED", value: String(times))])
        case .unkillable(let child, let run):
            let sentence = "\(names[child]) outlived SIGKILL; it is not replaced while it is there."
            self.init(.unkillable, 2, sentence, names[child], run, [.cause(.unkillable)])
        }
    }

    /// An event of nexusd itself, outside the core's records.
    init(
        _ kind: EventKind, _ priority: UInt8, _ message: String, _ child: String? = nil, _ run: RunID? = nil,
        _ fields: [Field] = [], book: Book = .none
    ) {
        self.init(
            priority: priority, messageID: kind.messageID, message: message, child: child, run: run, book: book,
            fields: fields)
    }

    private init(_ end: EndRecord, names: TreeNames, usage: RunUsage, detail: String?) {
        let wanted =
            switch end.cause {
            case .done, .asked, .recycled, .dependency: true
            case .config, .crash, .oom, .watchdog, .probe, .network, .unkillable, .unknown: false
            }
        let ran = end.ended - end.started
        var fields = [Field.cause(end.cause), Field(name: "RAN_MS", value: String(ran.wholeMilliseconds))]
        if let exit = end.exit { fields.append(Field(name: "EXIT", value: exit.words)) }
        if let code = end.exit?.code { fields.append(Field(name: "EXIT_CODE", value: String(code))) }
        if let signal = end.exit?.signal { fields.append(Field(name: "SIGNAL", value: String(signal))) }
        if let cpu = usage.cpu { fields.append(Field(name: "CPU_MS", value: String(cpu.wholeMilliseconds))) }
        if let peak = usage.peakBytes { fields.append(Field(name: "PEAK_BYTES", value: String(peak))) }
        if let detail { fields.append(Field(name: "DETAIL", value: detail)) }
        let how = end.exit?.words ?? "still there"
        let why = detail.map { ": \($0)" } ?? ""
        self.init(
            .ended, wanted ? 6 : 4,
            "\(names[end.child]) ended after \(ran.words): \(how) (\(end.cause.rawValue))\(why).", names[end.child],
            end.run,
            fields, book: .ended)
    }
}

extension Sequel {
    fileprivate var givenUp: String {
        switch self {
        case .retry: "given up for now"
        case .command, .endOfTree: "given up"
        }
    }

    fileprivate func words(_ name: String, at now: Instant) -> String {
        switch self {
        case .retry(let instant): "next try in \((instant - now).words)."
        case .command: "nothing tries it again until `nexusctl start \(name)`."
        case .endOfTree: "the tree ends with it."
        }
    }
}

extension LogEvent.Field {
    static func cause(_ cause: Cause) -> Self { Self(name: "CAUSE", value: cause.rawValue) }

    static func nextTry(_ wait: Duration) -> Self { Self(name: "NEXT_TRY_MS", value: String(wait.wholeMilliseconds)) }
}
