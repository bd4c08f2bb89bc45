public import Plan

/// What a plan asks for and this machine cannot keep, as far as that can be seen without starting anything: for `check`.
/// Of a running tree `status` says it, which knows what nexusd was given.
public struct MachineNotes: Sendable {
    /// One sentence each.
    public let notes: [String]

    /// On this machine, with the rights of the caller.
    public init(_ plan: Plan) { self.init(plan, host: LiveMachine()) }

    init(_ plan: Plan, host: any Machine) {
        var notes: [String] = []
        if !plan.supervisor.uidWall {
            let right = host.may(.changeUser) ? "" : ", and uid \(host.userID) may not change that"
            notes.append("the uid wall is off: every child runs as nexusd's own user\(right)")
        }
        // log-writer is nobody's child to talk to: it may be nexusd's own user.
        let unwalled = plan.children.filter { $0.identity == nil && $0.role != .logWriter }.map(\.name)
        if plan.supervisor.uidWall, let first = unwalled.first {
            let more = unwalled.count > 1 ? " and \(unwalled.count - 1) more run" : " runs"
            notes.append("the uid wall has gaps: \(first)\(more) as nexusd's own user, for want of a `user = …`")
        }
        let cgroups = Cgroups(host)
        for (bound, controller, isAsked) in Self.bounds {
            let children = plan.children.filter { isAsked($0.bounds) }.map(\.name)
            guard let first = children.first, let why = cgroups.refusal(controller) else { continue }
            let more = children.count > 1 ? " and \(children.count - 1) more" : ""
            let instead = bound == "memory.max" ? "; nexusd looks every 2 s and ends a run that is above it" : ""
            notes.append("\(bound) of \(first)\(more) will not be kept by the kernel: \(why)\(instead)")
        }
        self.notes = notes
    }

    private static let bounds: [(name: String, controller: String, isAsked: @Sendable (RunBounds) -> Bool)] = [
        ("memory.max", "memory", { $0.memoryMax != nil }), ("memory.high", "memory", { $0.memoryHigh != nil }),
        ("pids-max", "pids", { $0.processes != nil }), ("cpu-weight", "cpu", { $0.cpuWeight != nil }),
    ]
}

/// The controllers that cgroup v2 has on this machine; which of them nexusd is given is its unit's business.
private struct Cgroups {
    private let controllers: Set<String>?
    private let mount: String?

    init(_ host: any Machine) {
        // proc_pid_mountinfo(5): ID PARENT DEVICE ROOT MOUNTPOINT … - TYPE …
        let mounts = Self.text("/proc/self/mountinfo", host)?.split(separator: "\n") ?? []
        mount = mounts.first { $0.contains(" - cgroup2 ") }.flatMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 4 ? String(fields[4]) : nil
        }
        let list = mount.flatMap { Self.text($0 + "/cgroup.controllers", host) }
        controllers = list.map { Set($0.split(whereSeparator: \.isWhitespace).map(String.init)) }
    }

    /// Why this machine cannot keep what needs the controller; nil: it can.
    func refusal(_ controller: String) -> String? {
        guard let mount else { return "no cgroup v2 is mounted on this machine" }
        guard let controllers, !controllers.contains(controller) else { return nil }
        return "cgroup v2 has no controller '\(controller)' on this machine (\(mount)/cgroup.controllers)"
    }

    private static func text(_ path: String, _ host: any Machine) -> String? {
        (try? host.read(path, limit: 1 << 20)).map { String(decoding: $0.1, as: UTF8.self) }
    }
}
