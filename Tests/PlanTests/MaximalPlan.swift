import Plan
import SupervisorCore
import Wire

/// A plan in which every field differs from its default and every case of every enum occurs.
enum MaximalPlan {
    static let plan = Plan(
        supervisor: SupervisorPlan(
            readUids: [1000, .max], readGids: [27], controlUids: [0], controlGids: [4, 5], uidWall: true),
        groups: [
            GroupPlan(
                name: "first",
                policy: GroupPolicy(
                    children: [id(2), id(3)], strategy: .oneForAll,
                    intensity: Intensity(restarts: 3, window: .seconds(10)), slowRetry: nil)),
            GroupPlan(
                name: "second",
                policy: GroupPolicy(children: [id(4)], strategy: .restForOne, slowRetry: .milliseconds(1))),
            GroupPlan(name: "empty", policy: GroupPolicy(children: [], strategy: .oneForOne)),
        ],
        children: [logWriter] + ordinary + [prober],
        secrets: [
            SecretPlan(name: "file", source: .file("/etc/secret")),
            SecretPlan(name: "credential", source: .credential("nexus.token")),
            SecretPlan(name: "generated", source: .generated(bytes: 64)),
        ],
        notes: ["a note", "Zwölf Boxkämpfer \u{1F94A}"])

    static func id(_ number: UInt16) -> ChildID { ChildID(rawValue: number) }

    private static let logWriter = ChildPlan(
        name: "log-writer", role: .logWriter, policy: ChildPolicy(ready: .reported), executable: "/lib/log-writer",
        arguments: [Text("log-writer")])

    private static let sockets = [
        SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: 80), kind: .stream, backlog: 1),
        SocketPlan(name: "six", address: .inet6([UInt8](repeating: 255, count: 16), port: .max), kind: .datagram),
        SocketPlan(
            name: "api", address: .unix("/run/api.sock"), backlog: .max,
            file: .init(mode: 0o660, user: 33, group: .max)),
    ]

    private static let prober = ChildPlan(
        name: "nexus-probe", role: .prober, policy: ChildPolicy(ready: .reported), executable: "/lib/nexus-probe",
        arguments: [Text("nexus-probe")], readiness: .bus, worker: WorkerPlan(may: []))

    private static let readinesses: [(Readiness, ReadyRule)] = [
        (.spawned, .spawned), (.notify, .reported), (.descriptor(5), .reported), (.bus, .reported),
        (.probe(.tcp(host: "::1", port: Text("80"), timeout: .seconds(1))), .probed(interval: .milliseconds(250))),
        (
            .probe(
                .http(
                    HTTPProbe(
                        host: "::1", port: Text(pieces: [.captured(id(8), name: "port")]), path: "/health?deep=1",
                        statuses: [.standard, HTTPProbe.StatusRange(first: 401, last: 401)], timeout: .seconds(2)))),
            .probed(interval: .seconds(1))
        ),
        (
            .probe(.exec(executable: "/bin/true", arguments: [Text("true"), Text("x")], timeout: .seconds(2))),
            .probed(interval: .seconds(1))
        ),
        (
            .logLine(
                LinePattern(pieces: [.literal("on "), .capture(name: "host"), .literal(":"), .integer(name: "port")])),
            .reported
        ), (.health, .reported),
    ]

    private static let ordinary = readinesses.enumerated().map { index, readiness in
        let number = UInt16(index + 2)
        return ChildPlan(
            name: "child-\(number)", policy: policy(number, readiness.1), executable: "/bin/child",
            arguments: [Text("child"), Text(pieces: [.literal("--port="), .captured(id(8), name: "port")])],
            environment: [
                Variable(name: "PATH", value: Text("/bin")),
                Variable(name: "TOKEN", value: Text(pieces: [.secret(2), .literal("!")])),
            ],
            directory: "/srv", identity: Identity(uid: 1, gid: 2, groups: [3, .max], user: "nobody"),
            limits: [Limit(resource: 7, soft: 64, hard: .max)], bounds: bounds, umask: 0o777, nice: -20,
            oomScoreAdjust: -1000, noNewPrivileges: false,
            capabilities: Capabilities(bounding: 1 << 10 | 1, ambient: 1 << 10),
            sockets: number == 9 ? sockets : [], secretFiles: [0, 2], readiness: readiness.0,
            liveness: .tcp(
                host: "127.0.0.1", port: Text(pieces: [.captured(id(8), name: "port")]), timeout: .seconds(3)),
            pidFile: "child.pid", log: log, worker: number == 9 ? nil : worker, choice: index % 2 == 0 ? .on : .off,
            calendar: number == 5 ? [1, 1_772_323_200] : [])
    }

    private static let bounds = RunBounds(
        memoryMax: .max, memoryHigh: 1, recycle: RecycleRule(above: 2, patience: .seconds(3)), processes: .max,
        cpuWeight: 10_000)

    private static let log = LogPlan(
        fileBytes: .max, files: 1, journal: false, rate: LogRate(lines: .max, window: .seconds(3600)))

    /// Of all but the one with sockets, whose fds are the bus's.
    private static let worker = WorkerPlan(
        may: [.status, .start(.child(id(2))), .stop(.group(GroupID(rawValue: 1))), .restart(.all), .health(id(3))],
        peers: [id(4)])

    private static func policy(_ number: UInt16, _ ready: ReadyRule) -> ChildPolicy {
        ChildPolicy(
            group: number == 4 ? GroupID(rawValue: 1) : number < 4 ? GroupID(rawValue: 0) : nil, enabled: false,
            requires: [id(1)], after: [id(1), id(8)], critical: true, significant: number == 3,
            restart: RestartRule.allCases[Int(number) % RestartRule.allCases.count],
            schedule: number == 5 ? .calendar : number == 6 ? .every(.seconds(3600)) : nil,
            delay: DelayRule(
                first: .milliseconds(1), cap: .seconds(2), stableAfter: .nanoseconds(1), parkAfter: .max,
                slowRetry: number == 2 ? nil : .seconds(9)),
            intensity: Intensity(restarts: 1, window: .seconds(1)), ready: ready, firstProbe: .milliseconds(3),
            startTimeout: .seconds(7),
            liveness: LivenessRule(interval: .milliseconds(5), misses: 255, first: .seconds(6)), watchdog: .seconds(8),
            stop: StopRule(
                drain: .seconds(1), signal: Signal(rawValue: 64), timeout: .seconds(86_400), killGrace: .milliseconds(2)
            ),
            exits: ExitRule(
                success: [0, 255, .signal(.terminate)], config: [78, 64, .signal(Signal(rawValue: 64))],
                network: [69, .signal(Signal(rawValue: 1))]))
    }
}
