import CNexus
import Plan
import SupervisorCore
import System
import TestSupport

@testable import Runtime

/// A small supervisor for one test, in a process of its own (an exit test): subreaper, one reaper, scopes.
final class Nest {
    let kernel: any Kernel
    let containment: Containment
    let spawner: Spawner
    let reaper: Reaper
    private(set) var exits: [ProcessID: Exit] = [:]
    private var scopes: [ProcessID: any RunScope] = [:]
    private var count: UInt32 = 0
    private let signals: SignalSource

    /// `cgroup`: the value of NEXUS_CGROUP.
    init(_ kernel: any Kernel = LiveKernel(), cgroup: String? = nil, life: LifeID = .test) throws {
        self.kernel = kernel
        containment = try Containment(kernel, override: cgroup)
        spawner = try Spawner(
            kernel, openFiles: ResourceLimit(resource: ResourceLimit.openFiles, soft: 256, hard: 256), life: life)
        reaper = Reaper(kernel)
        signals = try SignalSource(kernel, [.child])
    }

    /// A started run and the reading end of its stdout.
    final class Life {
        let process: ProcessID
        let pidfd: OwnedFD
        let output: OwnedFD
        let scope: any RunScope
        let run: RunID

        init(_ spawned: consuming Spawned, output: consuming OwnedFD, scope: any RunScope, run: RunID) {
            process = spawned.process
            pidfd = spawned.pidfd
            self.output = output
            self.scope = scope
            self.run = run
        }

        /// Waits for this many lines of output.
        func lines(_ wanted: Int) throws -> [String] {
            var text: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while text.count(where: { $0 == UInt8(ascii: "\n") }) < wanted {
                guard try waitUntil(output) else { break }
                let count = try chunk.withUnsafeMutableBufferPointer {
                    try LiveKernel().read(output, into: UnsafeMutableRawBufferPointer($0))
                }
                if count == 0 { break }
                text += chunk[..<count]
            }
            return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    /// Starts `/bin/sh -c script`.
    func start(_ script: String, _ adjust: (inout ChildPlan) -> Void = { _ in }) throws -> Life {
        count += 1
        let run = RunID(second: 0x6000_0000, count: count)
        var child = ChildPlan(
            name: "child", executable: "/bin/sh", arguments: [Text("sh"), Text("-c"), Text(script)],
            environment: [Variable(name: "PATH", value: Text("/usr/bin:/bin"))])
        adjust(&child)
        let pipe = try kernel.makePipe(blocking: .write)
        let output = pipe.read
        let scope = try containment.open(child: child.name, run: run, user: child.identity?.uid, bounds: child.bounds)
        let request = SpawnRequest(
            child: child, run: run, descriptors: [DescriptorMapping(source: pipe.write.raw, target: 1)])
        do {
            let spawned = try spawner.spawn(
                request, in: scope, values: TextValues(captured: { _, _ in nil }, secret: { _ in nil }))
            scopes[spawned.process] = scope
            return Life(spawned, output: output, scope: scope, run: run)
        } catch {
            scope.close()
            throw error
        }
    }

    /// Reaps everything there is to reap now; true when there is no child left at all.
    @discardableResult
    func reap() throws -> Bool {
        _ = containment.goOn()
        while true {
            switch try reaper.next(before: { _ in }) {
            case .reaped(let ended):
                exits[ended.process] = ended.exit
                if let scope = scopes.removeValue(forKey: ended.process) {
                    scope.ended(ended)
                } else {
                    containment.orphanEnded(ended.process)
                }
            case .nothing: return false
            case .childless: return true
            }
        }
    }

    /// Reaps until the condition holds; false when 20 s are over.
    func reap(until condition: () throws -> Bool) throws -> Bool {
        let end = kernel.monotonic() + .seconds(20)
        while kernel.monotonic() < end {
            try reap()
            if try condition() { return true }
            // SIGCHLD may be taken by another thread of the test process, so this is a bounded look, not a blind wait.
            _ = try waitUntil(signals.fd, within: .milliseconds(10))
            while try signals.next() != nil {}
        }
        return false
    }

    /// Waits for the end of a run's main process.
    func reap(_ life: Life) throws -> Exit? {
        _ = try reap { exits[life.process] != nil }
        return exits[life.process]
    }
}

extension LifeID {
    /// One that no nexusd has.
    static let test = LifeID(String(repeating: "0", count: 32))!
}

/// Whether a process is there and no zombie.
func isAlive(_ process: ProcessID) -> Bool {
    guard let stat = try? LiveKernel().readFile("/proc/\(process)/stat", limit: 4096) else { return false }
    return !String(decoding: stat, as: UTF8.self).contains(") Z ")
}
