import SupervisorCore
import System

/// A run in a cgroup of its own: exact, whatever its processes do.
final class CgroupScope: RunScope {
    private let kernel: any Kernel
    private let accounts: Descendants
    private let run: RunID
    private let path: String
    private let directory: OwnedFD
    private let events: OwnedFD

    /// Makes the cgroup. `accounts` learns which of nexusd's children it started itself: the others are orphans.
    init(_ kernel: any Kernel, _ accounts: Descendants, run: RunID, path: String) throws(Errno) {
        self.kernel = kernel
        self.accounts = accounts
        self.run = run
        self.path = path
        try kernel.makeDirectory(path, mode: 0o755)
        do {
            directory = try kernel.open(path, [.path, .directory], mode: 0)
            events = try kernel.open(path + "/cgroup.events", .readOnly, mode: 0)
        } catch {
            try? kernel.removeDirectory(path)
            throw error
        }
        accounts.open(run)
    }

    var cgroup: Int32? { directory.raw }

    func began(_ process: ProcessID) { accounts.began(process, in: run) }

    func ended(_ process: ProcessID) { accounts.ended(process) }

    func snapshot() {}

    /// One pread of cgroup.events: 1 µs, where the notification comes up to 16 ms late (the kernel spaces them).
    func isEmpty() -> Bool {
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
        processes().compactMap { ProcessTable.entry($0, kernel) }
    }

    /// /proc/PID/cgroup, where also a process that has ended and was not reaped has its last one.
    func holds(_ process: ProcessID) -> Bool? {
        guard let text = try? kernel.readFile("/proc/\(process)/cgroup", limit: 65_536), !text.isEmpty else {
            return nil
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return String(decoding: text, as: UTF8.self).split(separator: "\n").contains { line in
            line.hasPrefix("0::") && line.split(separator: "/").contains { $0 == name }
        }
    }

    func signalAll(_ signal: Signal) -> Int {
        members().count { entry in
            kernel.signal(entry, signal) { _ in processes().contains(entry.process) }
        }
    }

    /// cgroup.kill reaches what forks meanwhile too (cgroup-v2.rst); without it (before Linux 5.14) a few rounds do.
    func killAll() {
        do {
            let file = try kernel.open(path + "/cgroup.kill", .writeOnly, mode: 0)
            try kernel.writeAll(file, [UInt8(ascii: "1")])
        } catch {
            for _ in 0..<8 where signalAll(.kill) == 0 { return }
        }
    }

    /// memory.events is there only where the memory controller is.
    func oomKills() -> UInt64? {
        guard let text = try? kernel.readFile(path + "/memory.events", limit: 4096) else { return nil }
        for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: "oom_kill ".utf8) {
            return decimal(line.dropFirst(9))
        }
        return nil
    }

    func watch(with poller: borrowing Poller, token: UInt64) throws(Errno) {
        try poller.add(events, token: token, for: .priority)
    }

    func unwatch(with poller: borrowing Poller) { poller.remove(events) }

    func close() {
        accounts.close(run)
        // A run may have made cgroups of its own below; they go first. What is busy stays, and the next start sweeps it.
        removeTree(path, depth: 0)
    }

    private func removeTree(_ path: String, depth: Int) {
        if (try? kernel.removeDirectory(path)) != nil || depth >= Self.depthLimit { return }
        for below in subgroups(of: path) { removeTree(below, depth: depth + 1) }
        try? kernel.removeDirectory(path)
    }

    private func subgroups(of path: String) -> [String] {
        let names = (try? kernel.list(path)) ?? []
        return names.map { path + "/" + $0 }.filter { below in
            (try? kernel.status(below, followingLinks: false))?.kind == .directory
        }
    }

    /// cgroups below a run's cgroup that are cleaned up after it.
    private static let depthLimit = 8

    /// cgroup.events has a line `populated 1` as long as a process is there or below.
    private static func saysPopulated(_ text: some Sequence<UInt8>) -> Bool {
        Array(text).split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual("populated 1".utf8) }
    }

    /// Numbers in cgroup.procs of the run's cgroup and of those below it.
    private func processes() -> [ProcessID] {
        var found: [ProcessID] = []
        var pending = [(path, 0)]
        while let (path, depth) = pending.popLast() {
            let text = (try? kernel.readFile(path + "/cgroup.procs", limit: 1 << 20)) ?? []
            found += text.split(separator: UInt8(ascii: "\n")).compactMap { line in
                decimal(line).map { ProcessID(rawValue: Int32(truncatingIfNeeded: $0)) }
            }
            guard depth < Self.depthLimit else { continue }
            pending += subgroups(of: path).map { ($0, depth + 1) }
        }
        return found
    }
}
