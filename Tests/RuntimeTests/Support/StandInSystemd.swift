import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// systemd's part for a nexusd of a test: a notify socket, a store of descriptors, and a start that hands them back.
final class StandInSystemd: @unchecked Sendable {
    let directory = TemporaryDirectory()
    let cgroup: TestCgroup
    private let kernel = LiveKernel()
    private let socket: OwnedFD
    private var nexusd: Spawned?
    private let errors: System.Pipe
    /// The last one kept first, as systemd has it.
    var store: [(name: String, fd: OwnedBox)] { lock.withLock { kept } }
    private var kept: [(name: String, fd: OwnedBox)] = []
    private let lock = NSLock()
    let limit: Int
    /// What is said to it stays in its socket, as while systemd has other things to do.
    var isBusy: Bool {
        get { lock.withLock { busy } }
        set { lock.withLock { busy = newValue } }
    }
    private var busy = false

    final class OwnedBox {
        let fd: OwnedFD
        init(_ fd: consuming OwnedFD) { self.fd = fd }
    }

    var runtime: String { directory.path + "/run" }
    var state: String { directory.path + "/state" }
    private var planFile: String { directory.path + "/plan" }
    private var config: String { directory.path + "/Supervisor.toml" }
    private var source: [String] = []
    /// The nexusd that is started next.
    var program = Built.nexusd

    /// Takes what comes as it comes: a socket holds ten messages.
    convenience init(_ plan: Plan, limit: Int = 256) throws {
        try self.init(limit: limit, listening: true)
        try write(plan)
    }

    /// Without a plan; not `listening`, it takes what came whenever it is told to.
    init(limit: Int = 256, listening: Bool) throws {
        self.limit = limit
        cgroup = try TestCgroup()
        socket = try kernel.makeSocket(.unix, .datagram)
        errors = try kernel.makePipe(blocking: .write)
        try kernel.bind(socket, to: .path(directory.path + "/notify"))
        try kernel.makeDirectory(state, mode: 0o700)
        guard listening else { return }
        let thread = Thread { [weak self] in
            while let systemd = self {
                systemd.hear()
                usleep(2000)
            }
        }
        thread.start()
    }

    /// The plan that a nexusd with nothing to adopt begins with.
    func write(_ plan: Plan) throws {
        var plan = plan
        for index in plan.children.indices {
            for place in plan.children[index].arguments.indices
            where plan.children[index].arguments[place] == Text("{state}") {
                plan.children[index].arguments[place] = Text(state + "/logs")
            }
        }
        try kernel.replaceFile(planFile, with: plan.encoded(), mode: 0o600)
        source = ["--plan", planFile]
    }

    /// The file that the next nexusd reads, by the nexus-config that was built with it.
    func write(toml: String) throws {
        try kernel.replaceFile(config, with: Array(toml.utf8), mode: 0o644)
        source = ["--config", config]
    }

    deinit {
        if let process = nexusd.take() {
            for _ in 0..<3 {
                try? kernel.signal(process.pidfd, .terminate)
                usleep(20_000)
            }
            if (try? waitForExit(process)) == nil { try? kernel.signal(process.pidfd, .kill) }
        }
        for tree in (try? kernel.list(cgroup.path)) ?? [] where !tree.contains(".") {
            _ = CgroupTree(kernel, path: cgroup.path + "/" + tree).kill()
        }
        usleep(20_000)
        try? cgroup.removeEmptied()
    }

    /// Starts nexusd with what is in the store, and waits for a client's first answer.
    @discardableResult
    func start(_ more: [String] = []) throws -> ControlPeer {
        try? kernel.removeFile(runtime + "/control.sock")
        let null = try kernel.open("/dev/null", .readWrite, mode: 0)
        var environment = [
            "PATH=/usr/bin:/bin", "HOME=/nonexistent", "NEXUS_CGROUP=\(cgroup.path)",
            "NOTIFY_SOCKET=\(directory.path)/notify", "FDSTORE=\(limit)",
        ]
        let store = self.store
        if !store.isEmpty {
            environment.append("LISTEN_FDS=\(store.count)")
            environment.append("LISTEN_FDNAMES=\(store.map(\.name).joined(separator: ":"))")
        }
        var image = SpawnImage(
            executable: program,
            arguments: ["nexusd"] + source + ["--state", state, "--runtime", runtime],
            environment: environment + more)
        image.pidVariables = store.isEmpty ? [] : ["LISTEN_PID"]
        image.descriptors = [
            DescriptorMapping(source: null.raw, target: 0), DescriptorMapping(source: null.raw, target: 1),
            DescriptorMapping(source: errors.write.raw, target: 2),
        ]
        for (place, entry) in store.enumerated() {
            image.descriptors.append(DescriptorMapping(source: entry.fd.fd.raw, target: Int32(3 + place)))
        }
        image.noNewPrivileges = false
        image.deathSignal = .terminate
        nexusd = try kernel.spawn(image)
        return try client()
    }

    func client() throws -> ControlPeer {
        try waitFor("the control socket") {
            hear()
            return (try? kernel.status(runtime + "/control.sock", followingLinks: false)) != nil
        }
        return try ControlPeer(runtime + "/control.sock")
    }

    /// SIGKILL, and its end; what it had said is heard, as systemd does.
    func kill(hearing: Bool = true) throws {
        guard let process = nexusd.take() else { return }
        try kernel.signal(process.pidfd, .kill)
        _ = try waitForExit(process)
        if hearing { hear() } else { discard() }
    }

    /// Waits until it has ended by itself; what it had said is heard.
    func ended() throws -> Exit? {
        guard let process = nexusd.take() else { return nil }
        let exit = try waitForExit(process)
        hear()
        return exit
    }

    /// Of the runs of this child, once they are empty.
    func removeCgroup(of child: String) throws {
        for run in try kernel.list(cgroup.path) where run.hasPrefix("run-\(child)-") {
            try waitFor("\(run) is empty and removed") {
                (try? kernel.removeDirectory(cgroup.path + "/" + run)) != nil
            }
        }
    }

    /// As a systemd that keeps nothing.
    func discard() {
        hear()
        lock.withLock { kept = [] }
    }

    func stop() throws -> Exit? {
        guard let process = nexusd.take() else { return nil }
        try kernel.signal(process.pidfd, .terminate)
        let exit = try waitForExit(process)
        hear()
        return exit
    }

    /// All that was said so far.
    func hear() {
        lock.withLock { if !busy { takeAll() } }
    }

    private func takeAll() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let heard: String? = buffer.withUnsafeMutableBytes { buffer in
                do {
                    var message = try kernel.receive(socket, into: buffer)
                    let words = String(decoding: buffer[..<message.count], as: UTF8.self)
                    var descriptors: [OwnedBox] = []
                    while let fd = message.descriptors.take() { descriptors.append(OwnedBox(fd)) }
                    take(words, descriptors)
                    return words
                } catch {
                    return nil
                }
            }
            if heard == nil { return }
        }
    }

    private func take(_ words: String, _ descriptors: [OwnedBox]) {
        let lines = words.split(separator: "\n")
        let name = lines.first { $0.hasPrefix("FDNAME=") }.map { String($0.dropFirst(7)) } ?? "stored"
        if lines.contains("FDSTORE=1") {
            for fd in descriptors where kept.count < limit { kept.insert((name, fd), at: 0) }
        }
        if lines.contains("FDSTOREREMOVE=1") { kept.removeAll { $0.name == name } }
    }

    /// As if nexusd had given it this, and were killed before it wrote a state that names it.
    func keep(_ listener: consuming OwnedFD) throws {
        let name = StoredName.socket(inode: try kernel.status(listener).inode)
        let box = OwnedBox(listener)
        lock.withLock { kept.insert((name.text, box), at: 0) }
    }

    /// What nexusd has said on stderr.
    func errorsSaid() -> String { RunningTree.drain(errors.read, kernel) }

    func file(_ path: String) -> String {
        String(decoding: (try? kernel.readFile(path, limit: 1 << 24)) ?? [], as: UTF8.self)
    }
}
