import SupervisorCore
import System

/// A run in a cgroup of its own: exact, whatever its processes do. One that has the right to leave its cgroup (root's, or
/// nexusd's own uid) is looked for by descent as well, as it is without a cgroup: it costs such a run what that costs.
final class CgroupScope: RunScope {
    private let kernel: any Kernel
    private let accounts: Descendants
    private let run: RunID
    private let tree: CgroupTree
    private let directory: OwnedFD
    private let events: OwnedFD
    private let mayLeave: Bool

    /// Makes the cgroup with its bounds, or takes the one that is there. `accounts` learns which of nexusd's children it started itself: the others are
    /// orphans.
    init(
        _ kernel: any Kernel, _ accounts: Descendants, run: RunID, path: String, mayLeave: Bool,
        bounds: [BoundFile], isThere: Bool = false
    ) throws(Errno) {
        self.kernel = kernel
        self.accounts = accounts
        self.run = run
        self.mayLeave = mayLeave
        tree = CgroupTree(kernel, path: path)
        if !isThere { try kernel.makeDirectory(path, mode: 0o755) }
        do {
            for bound in bounds {
                let file = try kernel.open(path + "/" + bound.name, .writeOnly, mode: 0)
                try kernel.writeAll(file, Array(String(bound.value).utf8))
            }
            directory = try kernel.open(path, [.path, .directory], mode: 0)
            events = try kernel.open(path + "/cgroup.events", .readOnly, mode: 0)
        } catch {
            if !isThere { try? kernel.removeDirectory(path) }
            throw error
        }
        accounts.open(run)
    }

    var cgroup: Int32? { directory.raw }

    var cgroupPath: String? { tree.path }

    func began(_ process: ProcessID) { accounts.began(process, in: run) }

    func ended(_ ended: EndedProcess) { accounts.ended(ended.process) }

    func sweep(_ signal: Signal?) -> any Sweep {
        let within = CgroupSweep(kernel, accounts, self, tree, signal)
        return mayLeave ? LeaverSweep(within, accounts, self, run: run, signal: signal) : within
    }

    var hasNewcomers: Bool { mayLeave && accounts.hasNewcomers(run) }

    func isEmpty() -> Bool { isCgroupEmpty() && (!mayLeave || accounts.isEmpty(run)) }

    /// One pread of cgroup.events: 1 µs, where the notification comes up to 16 ms late (the kernel spaces them).
    private func isCgroupEmpty() -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
            do throws(Errno) {
                let count = try kernel.read(events, into: buffer, at: 0)
                return !Self.saysPopulated(buffer[..<count])
            } catch {
                return error == .noDevice  // removed by somebody, which only an empty cgroup can be
            }
        }
    }

    func members() -> [ProcessEntry] {
        let within = tree.members().compactMap { ProcessTable.entry($0, kernel) }
        guard mayLeave else { return within }
        let known = Set(within.map(\.process))
        return within + accounts.members(run).filter { !known.contains($0.process) }
    }

    func holds(_ process: ProcessID) -> Bool? {
        guard let isWithin = cgroupHolds(process), !isWithin, mayLeave else { return cgroupHolds(process) }
        return accounts.run(of: process).map { $0 == run }
    }

    /// /proc/PID/cgroup, where also a process that has ended and was not reaped has its last one.
    func cgroupHolds(_ process: ProcessID) -> Bool? {
        guard let text = try? kernel.readFile("/proc/\(process)/cgroup", limit: 65_536), !text.isEmpty else {
            return nil
        }
        let name = tree.path.split(separator: "/").last.map(String.init) ?? tree.path
        return String(decoding: text, as: UTF8.self).split(separator: "\n").contains { line in
            line.hasPrefix("0::") && line.split(separator: "/").contains { $0 == name }
        }
    }

    /// memory.events is there only where the memory controller is.
    func oomKills() -> UInt64? { tree.number("oom_kill", in: "memory.events") }

    /// memory.peak came with Linux 5.19.
    func usage() -> RunUsage {
        RunUsage(
            cpu: tree.number("usage_usec", in: "cpu.stat").map { .microseconds(Int64(clamping: $0)) },
            peakBytes: tree.number(in: "memory.peak"))
    }

    /// Without the page cache, which the kernel takes back by itself.
    func memory() -> UInt64? {
        guard let anonymous = tree.number("anon", in: "memory.stat") else {
            return ProcessTable.memory(of: tree.members(), kernel)
        }
        return anonymous &+ (tree.number("shmem", in: "memory.stat") ?? 0)
    }

    func watch(with poller: borrowing Poller, token: UInt64) throws(Errno) {
        try poller.add(events, token: token, for: .priority)
    }

    func unwatch(with poller: borrowing Poller) { poller.remove(events) }

    func close() {
        accounts.close(run)
        tree.remove()
    }

    /// cgroup.events has a line `populated 1` as long as a process is there or below.
    private static func saysPopulated(_ text: some Sequence<UInt8>) -> Bool {
        Array(text).split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual("populated 1".utf8) }
    }
}
