import Glibc
import Plan
import System
import TestSupport

@testable import Runtime

/// The life before the one that is played: a nexusd that was killed, and systemd's part for it and for the next one. In a process
/// of its own, where descriptors may be laid where they have to be.
final class KilledLife {
    private let systemd: StandInSystemd
    var directory: String { systemd.directory.path }
    /// Where descriptors begin that nobody else here may have.
    private static let firstFree: Int32 = 3
    private static let room: Int32 = 96
    private var handed: Int32 = 0

    /// `plan` is made for a directory; each of `ready` is before nexusd is killed.
    init(_ plan: (String) -> Plan, ready: [String]) throws {
        // What is opened from now on lies behind the room for what the next life is handed.
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        for raw in Self.firstFree..<Self.room { _ = fcntl(null, F_DUPFD_CLOEXEC, raw) }
        systemd = try StandInSystemd(listening: false)
        try systemd.write(FaultTree.hurried(plan(systemd.directory.path)))
        let client = try systemd.start()
        for child in ready {
            try waitFor("\(child) is ready") {
                systemd.hear()
                return try client.state(child) == "ready"
            }
        }
        // What there was no room for in the socket is said again.
        try waitFor("everybody is kept") {
            systemd.hear()
            return ready.indices.allSatisfy { child in
                systemd.store.contains { $0.name.hasPrefix("nexus-run-\(child + 1)-") }
            }
        }
        try systemd.kill()
    }

    /// Lays what is in the store where nexusd looks for it; what nexusd finds in its environment then.
    func hand() -> (String) -> String? {
        for raw in Self.firstFree..<Self.room { close(raw) }
        let store = systemd.store
        for (place, entry) in store.enumerated() { dup2(entry.fd.fd.raw, Self.firstFree + Int32(place)) }
        handed = Int32(store.count)
        let variables = [
            "NEXUS_CGROUP": systemd.cgroup.path, "NOTIFY_SOCKET": directory + "/notify", "FDSTORE": "\(systemd.limit)",
            "LISTEN_FDS": "\(store.count)", "LISTEN_FDNAMES": store.map(\.name).joined(separator: ":"),
            "LISTEN_PID": "\(getpid())",
        ]
        return { variables[$0] }
    }

    /// What nexusd said so far.
    func hear() { systemd.hear() }

    /// Descriptors that are nexusd's to close.
    var isHanded: ClosedRange<Int32>? { handed > 0 ? Self.firstFree...(Self.firstFree + handed - 1) : nil }

    /// How many runs of this child have processes in their cgroups.
    func runs(of child: String) -> Int {
        runs.count { $0.hasPrefix("run-\(child)-") && !members(of: $0).isEmpty }
    }

    private var runs: [String] {
        ((try? LiveKernel().list(systemd.cgroup.path)) ?? []).filter { $0.hasPrefix("run-") }
    }

    private func members(of run: String) -> [ProcessID] {
        CgroupTree(LiveKernel(), path: systemd.cgroup.path + "/" + run).members()
    }

    /// Who is left; ended, and the cgroup goes, and what is in the store.
    func end() -> [String] {
        systemd.discard()
        let left = runs.filter { !members(of: $0).isEmpty }
        for run in runs { _ = CgroupTree(LiveKernel(), path: systemd.cgroup.path + "/" + run).kill() }
        for _ in 0..<2000 where runs.contains(where: { !members(of: $0).isEmpty }) { usleep(1000) }
        try? systemd.cgroup.remove()
        return left
    }
}
