import SupervisorCore
import System

/// The delegated cgroup v2 subtree nexusd may use, when there is one.
///
/// Nexus touches no cgroup that was not given to it. Given is: the path in NEXUS_CGROUP; a cgroup that systemd marks
/// as delegated (`Delegate=yes`: extended attribute user.delegate or trusted.delegate is 1, since systemd 251; before,
/// and for a user's own manager, the directory belongs to the unit's user, who is not root, and nobody else sits in it);
/// and, for PID 1 of a container, the root of the container's own cgroup namespace, when it is writable.
struct CgroupRoot {
    /// The subtree, with `supervisor/` for nexusd itself (no process may sit where controllers are handed down) and one
    /// cgroup a run.
    let path: String
    /// What the kernel keeps in the cgroups of runs.
    let controllers: Controllers

    /// Why there is none, in words for `status`.
    struct Refusal: Error {
        let why: String
    }

    /// Finds the subtree and moves nexusd into its leaf. Leaves no trace when it is refused.
    init(_ kernel: any Kernel, override: String?) throws(Refusal) {
        let path: String
        if let override {
            path = override
        } else {
            path = try Self.own(kernel)
            try Self.checkDelegation(of: path, kernel)
        }
        guard (try? kernel.status(path + "/cgroup.kill", followingLinks: false)) != nil else {
            throw Refusal(why: "\(path) has no cgroup.kill (Linux 5.14)")
        }
        self.path = path
        let leaf = Self.leaf(of: path)
        do {
            do { try kernel.makeDirectory(leaf, mode: 0o755) } catch  where error == .exists {}
            let procs = try kernel.open(leaf + "/cgroup.procs", .writeOnly, mode: 0)
            try kernel.writeAll(procs, [UInt8(ascii: "0")])  // 0 is the writer itself
        } catch {
            try? kernel.removeDirectory(leaf)
            throw Refusal(why: "\(leaf): \(error)")
        }
        controllers = Controllers(kernel, path: path)
    }

    /// nexusd's own cgroup.
    private static func leaf(of path: String) -> String { path + "/supervisor" }

    /// The cgroup of a run.
    func path(child: String, run: String) -> String { "\(path)/\(Self.prefix)\(child)-\(run)" }

    /// Whether a line of /proc/PID/cgroup names the cgroup of a run.
    static func isRun(_ line: String) -> Bool {
        line.split(separator: "/").contains { $0.hasPrefix(prefix) }
    }

    /// Cgroups of runs that are there now: before the first run, those of an earlier nexusd.
    func runs(_ kernel: any Kernel) -> [CgroupTree] {
        ((try? kernel.list(path)) ?? []).filter { $0.hasPrefix(Self.prefix) }.map {
            CgroupTree(kernel, path: path + "/" + $0)
        }
    }

    /// Those of one child.
    func runs(_ kernel: any Kernel, of child: String) -> [CgroupTree] {
        let start = "\(path)/\(Self.prefix)\(child)-"
        return runs(kernel).filter { run in
            run.path.hasPrefix(start) && RunID(shown: run.path.utf8.dropFirst(start.utf8.count)) != nil
        }
    }

    private static let prefix = "run-"

    /// Where /proc/self/cgroup's line `0::/PATH` lies below the mount of cgroup2.
    private static func own(_ kernel: any Kernel) throws(Refusal) -> String {
        let groups = text("/proc/self/cgroup", kernel)
        guard let line = groups.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else {
            throw Refusal(why: "no cgroup v2")
        }
        var relative = String(line.dropFirst(3))
        // proc_pid_mountinfo(5): ID PARENT DEVICE ROOT MOUNTPOINT … - TYPE …
        for mount in text("/proc/self/mountinfo", kernel).split(separator: "\n") where mount.contains(" - cgroup2 ") {
            let fields = mount.split(separator: " ")
            guard fields.count > 4 else { continue }
            let root = String(fields[3])
            if root != "/" {
                guard relative.hasPrefix(root) else { continue }
                relative.removeFirst(root.count)
            }
            let whole = String(fields[4]) + (relative == "/" ? "" : relative)
            return whole.hasSuffix("/supervisor") ? String(whole.dropLast("/supervisor".count)) : whole
        }
        throw Refusal(why: "cgroup v2 is not mounted")
    }

    private static func checkDelegation(of path: String, _ kernel: any Kernel) throws(Refusal) {
        for name in ["user.delegate", "trusted.delegate"] {
            if (try? kernel.attribute(name, of: path)) == "1" { return }
        }
        guard let status = try? kernel.status(path, followingLinks: false) else {
            throw Refusal(why: "\(path) cannot be seen")
        }
        let user = kernel.userID()
        // A user's terminal belongs to the user as well; but there the shell sits beside us.
        if user != 0, status.user == user, isAlone(in: path, kernel) { return }
        // The machine's real root cgroup has no cgroup.events; a namespace's root has.
        if kernel.processID().rawValue == 1, text("/proc/self/cgroup", kernel).hasSuffix("0::/\n"),
            (try? kernel.status(path + "/cgroup.events", followingLinks: false)) != nil
        {
            return
        }
        throw Refusal(why: "\(path) is not delegated to us (Delegate=yes)")
    }

    private static func isAlone(in path: String, _ kernel: any Kernel) -> Bool {
        CgroupTree(kernel, path: path).members(belowAsWell: false).allSatisfy { $0 == kernel.processID() }
    }

    private static func text(_ path: String, _ kernel: any Kernel) -> String {
        String(decoding: (try? kernel.readFile(path, limit: 1 << 20)) ?? [], as: UTF8.self)
    }
}
