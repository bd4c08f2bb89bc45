import SupervisorCore
import System

/// A cgroup with everything below it, by its path.
struct CgroupTree {
    let path: String
    private let kernel: any Kernel

    init(_ kernel: any Kernel, path: String) {
        self.kernel = kernel
        self.path = path
    }

    /// How deep cgroups below are looked into, and how many of them at a time: a run of nexusd's own uid makes what it likes.
    private static let depthLimit = 64
    private static let countLimit = 1024

    /// Numbers in cgroup.procs, of the cgroups below as well or not.
    func members(belowAsWell: Bool = true) -> [ProcessID] {
        var found: [ProcessID] = []
        var pending = [(path, 0)]
        var looked = 0
        while looked < Self.countLimit, let (path, depth) = pending.popLast() {
            looked += 1
            let text = (try? kernel.readFile(path + "/cgroup.procs", limit: 1 << 20)) ?? []
            found += text.split(separator: UInt8(ascii: "\n")).compactMap { line in
                decimal(line).map { ProcessID(rawValue: Int32(truncatingIfNeeded: $0)) }
            }
            guard belowAsWell, depth < Self.depthLimit else { continue }
            pending += subgroups(of: path).map { ($0, depth + 1) }
        }
        return found
    }

    /// SIGKILL by cgroup.kill, which reaches what forks meanwhile too (cgroup-v2.rst); false where there is none.
    func kill() -> Bool {
        do {
            let file = try kernel.open(path + "/cgroup.kill", .writeOnly, mode: 0)
            try kernel.writeAll(file, [UInt8(ascii: "1")])
            return true
        } catch {
            return false
        }
    }

    /// Removes it with what a run made below; what is busy stays, and the next start finds it.
    func remove() {
        var left = Self.countLimit
        remove(path, depth: 0, &left)
    }

    private func remove(_ path: String, depth: Int, _ left: inout Int) {
        left -= 1
        if (try? kernel.removeDirectory(path)) != nil || depth >= Self.depthLimit { return }
        for below in subgroups(of: path) where left > 0 { remove(below, depth: depth + 1, &left) }
        try? kernel.removeDirectory(path)
    }

    /// The number after `name ` in a file of such lines; nil when there is no such file or line.
    func number(_ name: String, in file: String) -> UInt64? {
        guard let text = try? kernel.readFile(path + "/" + file, limit: 16_384) else { return nil }
        let start = Array((name + " ").utf8)
        for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: start) {
            return decimal(line.dropFirst(start.count))
        }
        return nil
    }

    /// The number a file consists of.
    func number(in file: String) -> UInt64? {
        guard let text = try? kernel.readFile(path + "/" + file, limit: 64) else { return nil }
        return decimal(text.prefix { $0 != UInt8(ascii: "\n") })
    }

    private func subgroups(of path: String) -> [String] {
        let names = (try? kernel.list(path)) ?? []
        return names.map { path + "/" + $0 }.filter { below in
            (try? kernel.status(below, followingLinks: false))?.kind == .directory
        }
    }
}
