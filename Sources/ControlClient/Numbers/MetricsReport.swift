import Wire

/// nexusd's answer to `metrics` as OpenMetrics text.
public struct MetricsReport {
    private let nexusd: JSONValue
    private let children: [JSONValue]
    private var metrics = OpenMetrics()

    /// The answer.
    public init(_ answer: JSONValue) {
        nexusd = answer["nexusd"] ?? .null
        children = answer["children"]?.elements ?? []
    }

    /// The whole text.
    public func text() -> String {
        var copy = self
        copy.writeSupervisor()
        copy.writeLoop()
        copy.writeLives()
        copy.writeUse()
        copy.writeLogs()
        copy.writeBus()
        return copy.metrics.text
    }

    // MARK: - nexusd itself

    private mutating func writeSupervisor() {
        metrics.family("nexus_build", .info, help: "The nexusd that answered.")
        metrics.sample("nexus_build_info", [.init("version", nexusd["version"]?.text ?? "unknown")], "1")
        metrics.family("nexus_state", .stateset, help: "What nexusd is doing.")
        for state in ["starting", "running", "stopping"] {
            metrics.sample(
                "nexus_state", [.init("nexus_state", state)], nexusd["state"]?.text == state ? "1" : "0")
        }
        metrics.family("nexus_ready", .gauge, help: "1 when every enabled child is ready or done.")
        metrics.sample("nexus_ready", nexusd["ready"]?.flag == true ? "1" : "0")
        own("nexus_start_time_seconds", .gauge, "started_ms", unit: "seconds", "When nexusd began, since 1970.")
        own("nexus_uptime_seconds", .gauge, "uptime_ms", unit: "seconds", "How long nexusd has been running.")
        own("nexus_cpu_seconds", .counter, "cpu_us", unit: "seconds", "Processor time of nexusd itself.")
        own("nexus_memory_bytes", .gauge, "memory_bytes", unit: "bytes", "Resident memory of nexusd itself.")
        own("nexus_open_fds", .gauge, "open_fds", "Open file descriptors of nexusd itself.")
        own("nexus_control_clients", .gauge, "clients", "Connections to the control socket.")
        own("nexus_control_refused_clients", .counter, "refused_clients", "Connections that were turned away.")
        own("nexus_lost_records", .counter, "lost_records", "Words of nexusd that no log-writer took in time.")
        own("nexus_bus_dropped_frames", .counter, "bus_dropped_frames", "Frames that matched no open request.")
        own("nexus_bus_open_requests", .gauge, "bus_open_requests", "Requests that are not finished.")
    }

    private mutating func writeLoop() {
        histogram(
            "nexus_loop_lateness_seconds", "lateness", "How long after the planned instant nexusd's loop woke.")
        histogram("nexus_loop_turn_seconds", "turns", "How long one turn of nexusd's loop took.")
        metrics.family(
            "nexus_loop_longest_turn_seconds", .gauge, unit: "seconds", help: "The longest turn since nexusd began.")
        if let longest = nexusd["turns"]?["longest_us"]?.number {
            metrics.sample("nexus_loop_longest_turn_seconds", OpenMetrics.millionths(longest))
        }
    }

    private mutating func own(
        _ name: String, _ kind: OpenMetrics.Kind, _ member: String, unit: String? = nil, _ help: String
    ) {
        guard let value = nexusd[member]?.number else { return }
        metrics.family(name, kind, unit: unit, help: help)
        metrics.sample(Self.sampleName(name, kind), Self.scaled(value, member))
    }

    private mutating func histogram(_ name: String, _ member: String, _ help: String) {
        guard let histogram = nexusd[member], let counts = histogram["counts"]?.elements.compactMap(\.number),
            let sum = histogram["sum_us"]?.number
        else { return }
        metrics.family(name, .histogram, unit: "seconds", help: help)
        let bounds =
            (histogram["bounds_us"]?.elements ?? []).compactMap(\.number).map(OpenMetrics.millionths) + ["+Inf"]
        var below: Int64 = 0
        for (bound, count) in zip(bounds, counts) {
            below += count
            // A bound is a number to OpenMetrics: `1` has to be written as `1.0`.
            let le = bound.contains(".") || bound == "+Inf" ? bound : bound + ".0"
            metrics.sample(name + "_bucket", [.init("le", le)], String(below))
        }
        metrics.sample(name + "_count", String(below))
        metrics.sample(name + "_sum", OpenMetrics.millionths(sum))
    }

    // MARK: - Children

    private static let states = [
        "off", "waiting", "scheduled", "delayed", "starting", "ready", "stopping", "unkillable", "parked", "done",
    ]
    private static let causes = [
        "done", "config", "crash", "oom", "watchdog", "probe", "network", "dependency", "asked", "recycled",
        "unkillable", "unknown",
    ]

    private mutating func writeLives() {
        metrics.family("nexus_child_state", .stateset, help: "Where the child stands.")
        for child in children {
            for state in Self.states {
                metrics.sample(
                    "nexus_child_state", Self.labels(child) + [.init("nexus_child_state", state)],
                    child["state"]?.text == state ? "1" : "0")
            }
        }
        each("nexus_child_starts", .counter, ["starts"], "Runs that were begun.")
        each("nexus_child_restarts", .counter, ["restarts"], "Runs executed after an end that nobody asked for.")
        metrics.family("nexus_child_run_ends", .counter, help: "Runs that ended, by cause.")
        for child in children {
            for cause in Self.causes {
                metrics.sample(
                    "nexus_child_run_ends_total", Self.labels(child) + [.init("cause", cause)],
                    String(child["ends"]?[cause]?.number ?? 0))
            }
        }
        each(
            "nexus_child_start_time_seconds", .gauge, ["started_ms"], unit: "seconds",
            "When the living run began, since 1970.")
        each(
            "nexus_child_ready_seconds", .gauge, ["ready_ms"], unit: "seconds",
            "How long the living run took to become ready.")
    }

    private mutating func writeUse() {
        each(
            "nexus_child_cpu_seconds", .counter, ["cpu_us"], unit: "seconds",
            "Processor time of the living run: of its cgroup, or without one of its main process.")
        each(
            "nexus_child_memory_bytes", .gauge, ["memory_bytes"], unit: "bytes",
            "Memory of the living run: of its cgroup, or without one of its main process.")
        each(
            "nexus_child_processes", .gauge, ["processes"], "Processes of the living run, where its cgroup counts them."
        )
    }

    private mutating func writeLogs() {
        each(
            "nexus_child_log_bytes", .counter, ["log", "bytes"], unit: "bytes", "Output that was written to the logs.")
        each("nexus_child_log_lines", .counter, ["log", "lines"], "Lines that were written to the logs.")
        each(
            "nexus_child_log_suppressed_lines", .counter, ["log", "suppressed"],
            "Lines beyond the child's rate, which were not kept.")
        each(
            "nexus_child_log_dropped_lines", .counter, ["log", "dropped"],
            "Lines that the files did not take in time, which were not kept.")
        each(
            "nexus_child_log_missing_in_journal_lines", .counter, ["log", "missing_in_journal"],
            "Lines that journald did not take; the files have them.")
    }

    private mutating func writeBus() {
        for (name, unit, help) in [
            ("frames", nil, "Frames of the worker on the bus, from it (in) and to it (out)."),
            ("bytes", "bytes", "Bytes of these, headers included."),
        ] as [(String, String?, String)] {
            metrics.family("nexus_child_bus_\(name)", .counter, unit: unit, help: help)
            for child in children {
                for way in ["in", "out"] {
                    guard let count = child["bus"]?["\(name)_\(way)"]?.number else { continue }
                    metrics.sample(
                        "nexus_child_bus_\(name)_total", Self.labels(child) + [.init("direction", way)], String(count))
                }
            }
        }
        each(
            "nexus_child_bus_refused_frames", .counter, ["bus", "refused"],
            "Frames to somebody whom the worker may not address.")
        each(
            "nexus_child_bus_full_queue_frames", .counter, ["bus", "full"],
            "Frames for the worker that were turned away because its queue was full.")
        each(
            "nexus_child_bus_queue_bytes", .gauge, ["bus", "queued_bytes"], unit: "bytes",
            "Bytes that wait for the worker.")
    }

    /// One family with a sample for each child that has this member.
    private mutating func each(
        _ name: String, _ kind: OpenMetrics.Kind, _ path: [String], unit: String? = nil, _ help: String
    ) {
        metrics.family(name, kind, unit: unit, help: help)
        for child in children {
            let value = path.reduce(child) { $0[$1] ?? .null }
            guard let number = value.number, let member = path.last else { continue }
            metrics.sample(Self.sampleName(name, kind), Self.labels(child), Self.scaled(number, member))
        }
    }

    private static func sampleName(_ name: String, _ kind: OpenMetrics.Kind) -> String {
        kind == .counter ? name + "_total" : name
    }

    /// Base units: the member's name says in which one it came.
    private static func scaled(_ value: Int64, _ member: String) -> String {
        if member.hasSuffix("_us") { return OpenMetrics.millionths(value) }
        if member.hasSuffix("_ms") { return OpenMetrics.thousandths(value) }
        return String(value)
    }

    private static func labels(_ child: JSONValue) -> [OpenMetrics.Label] {
        let name = OpenMetrics.Label("child", child["name"]?.text ?? "?")
        guard let group = child["group"]?.text else { return [name] }
        return [name, OpenMetrics.Label("group", group)]
    }
}

extension OpenMetrics {
    fileprivate mutating func sample(_ name: String, _ value: String) { sample(name, [], value) }
}
