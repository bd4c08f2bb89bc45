import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

/// Programs that were built with the tests.
enum Built {
    static let directory: String = {
        let own = (try? LiveKernel().readLink("/proc/self/exe")) ?? ""
        // `swift test` runs the bundle by its own path; the runner of some versions lies elsewhere.
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own
        return String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.endIndex)])
    }()

    /// NEXUSD names another one, to measure a release build or an earlier one.
    static var nexusd: String { ProcessInfo.processInfo.environment["NEXUSD"] ?? directory + "/nexusd" }
    static var fixture: String { directory + "/fixture" }
    static var prober: String { directory + "/nexus-probe" }
    static var logWriter: String { directory + "/log-writer" }
}

/// A real nexusd with a plan made by hand, in directories of its own.
final class RunningTree {
    let directory = TemporaryDirectory()
    private let kernel = LiveKernel()
    private let process: Spawned
    private let errors: OwnedFD
    private var ended: Exit?

    let runtime: String
    var state: String { directory.path + "/state" }
    var socket: String { runtime + "/control.sock" }
    /// Every process of a fixture adds its role and pid here.
    var register: String { directory.path + "/pids" }

    /// Starts it and waits for its control socket. `environment` is nexusd's own; `through` is a command that nexusd is
    /// started by; one that `endsByItself` may be over before anybody has seen its socket.
    init(
        _ plan: Plan, runtime: String? = nil, environment: [String] = [], isOpenToOthers: Bool = false,
        through: [String] = [], endsByItself: Bool = false, program: String = Built.nexusd
    ) throws {
        self.runtime = runtime ?? directory.path + "/run"
        let file = directory.path + "/plan"
        try kernel.makeDirectory(directory.path + "/state", mode: 0o700)
        // Children and clients of other uids have to get to the sockets below.
        if isOpenToOthers { try kernel.changeMode(directory.path, to: 0o711) }
        var plan = plan
        for index in plan.children.indices {
            plan.children[index].environment.append(
                Variable(name: "FIXTURE_PIDS", value: Text(directory.path + "/pids")))
            for place in plan.children[index].arguments.indices {
                if plan.children[index].arguments[place] == Text("{state}") {
                    plan.children[index].arguments[place] = Text(directory.path + "/state/logs")
                }
            }
        }
        try kernel.replaceFile(file, with: plan.encoded(), mode: 0o600)
        let pipe = try kernel.makePipe(blocking: .write)
        process = try Self.start(
            program, ["--plan", file, "--state", directory.path + "/state", "--runtime", self.runtime],
            through: through,
            environment,
            errors: pipe.write, kernel)
        errors = pipe.read
        // The name says that it listens: it is bound and listening before anything else happens.
        let limit = kernel.monotonic() + .seconds(20)
        while (try? kernel.status(socket, followingLinks: false)) == nil {
            if ended != nil, endsByItself { return }
            guard kernel.monotonic() < limit, ended == nil else { throw NoTree(words: try said()) }
            ended = try kernel.reap(process.process)?.exit
            usleep(2000)
        }
    }

    struct NoTree: Error { let words: String }

    static func start(
        _ program: String, _ arguments: [String], through: [String] = [], _ environment: [String],
        errors: borrowing OwnedFD,
        _ kernel: LiveKernel
    ) throws -> Spawned {
        let null = try kernel.open("/dev/null", .readWrite, mode: 0)
        var image = SpawnImage(
            executable: through.first ?? program,
            arguments: through.isEmpty ? ["nexusd"] + arguments : through + [program] + arguments,
            environment: ["PATH=/usr/bin:/bin", "HOME=/nonexistent"] + environment)
        image.descriptors = [
            DescriptorMapping(source: null.raw, target: 0), DescriptorMapping(source: null.raw, target: 1),
            DescriptorMapping(source: errors.raw, target: 2),
        ]
        image.noNewPrivileges = false
        // A test bundle that is killed, by whoever limits its time, leaves no tree behind: nexusd ends it in order.
        image.deathSignal = .terminate
        return try kernel.spawn(image)
    }

    /// Runs a nexusd that is expected to end by itself; its exit and what it said.
    static func runToEnd(_ arguments: [String], environment: [String] = []) throws -> (Exit?, String) {
        let kernel = LiveKernel()
        let pipe = try kernel.makePipe(blocking: .write)
        let process = try start(Built.nexusd, arguments, environment, errors: pipe.write, kernel)
        let exit = try waitForExit(process)
        return (exit, drain(pipe.read, kernel))
    }

    deinit {
        guard ended == nil else { return }
        // A killed nexusd would leave its children behind; the third request kills them first.
        for _ in 0..<3 {
            try? kernel.signal(process.pidfd, .terminate)
            usleep(20_000)
        }
        if (try? waitForExit(process)) == nil { try? kernel.signal(process.pidfd, .kill) }
    }

    var processID: Int32 { process.process.rawValue }

    func client() throws -> ControlPeer { try ControlPeer(socket) }

    func signal(_ signal: Signal) throws { try kernel.signal(process.pidfd, signal) }

    /// SIGTERM, and the exit that follows.
    func stop() throws -> Exit? {
        try signal(.terminate)
        return try end()
    }

    func end() throws -> Exit? {
        if ended == nil { ended = try waitForExit(process) }
        return ended
    }

    /// What nexusd has said on stderr so far.
    func said() throws -> String { Self.drain(errors, kernel) }

    static func drain(_ fd: borrowing OwnedFD, _ kernel: LiveKernel) -> String {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var all: [UInt8] = []
        while let count = try? buffer.withUnsafeMutableBytes({ try kernel.read(fd, into: $0) }), count > 0 {
            all += buffer[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }

    /// Processes the fixtures registered, by role.
    func registered(_ role: String) -> [Int32] {
        let text = (try? kernel.readFile(register, limit: 1 << 20)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 2 && words[0] == role ? Int32(words[1]) : nil
        }
    }

    /// True while a process of this number is there and not a zombie.
    func isAlive(_ pid: Int32) -> Bool {
        guard let stat = try? kernel.readFile("/proc/\(pid)/stat", limit: 4096) else { return false }
        return !String(decoding: stat, as: UTF8.self).contains(") Z ")
    }

    /// Nothing where there is none yet. One that cannot be read is no empty one: a test that looks for what must not be in it
    /// would pass.
    func file(_ path: String) -> String {
        do throws(Errno) { return String(decoding: try kernel.readFile(path, limit: 1 << 24), as: UTF8.self) } catch {
            if error != .noEntry { Issue.record("\(path) cannot be read: \(error)") }
            return ""
        }
    }
}
