import CNexus
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

/// A cgroup v2 subtree made for one test; needs root and a mounted hierarchy.
struct TestCgroup {
    let path: String
    private static let mounts = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]

    static let isPossible = isRoot && mount != nil

    static var mount: String? {
        mounts.first { (try? LiveKernel().status($0 + "/cgroup.controllers", followingLinks: true)) != nil }
    }

    private static let isRoot = LiveKernel().userID() == 0

    init() throws {
        let kernel = LiveKernel()
        path = (Self.mount ?? "") + "/nexus-test-\(kernel.processID())-\(kernel.monotonic().nanoseconds)"
        try kernel.makeDirectory(path, mode: 0o755)
    }

    /// This process leaves, then everything below goes.
    func remove() throws {
        let kernel = LiveKernel()
        let procs = try kernel.open((Self.mount ?? "") + "/cgroup.procs", .writeOnly, mode: 0)
        try kernel.writeAll(procs, [UInt8(ascii: "0")])
        try removeEmptied()
    }

    /// Empty cgroups only can be removed: this fails when anything was left in any of them.
    func removeEmptied() throws {
        let kernel = LiveKernel()
        for name in try kernel.list(path) where !name.contains(".") {
            try kernel.removeDirectory(path + "/" + name)
        }
        try kernel.removeDirectory(path)
    }
}

/// In a delegated cgroup: exact, whatever a run does.
@Suite(.timeLimit(.minutes(1)), .enabled(if: TestCgroup.isPossible, "needs root and a cgroup v2 mount"))
struct CgroupTests {
    @Test func doubleForkWithNewSessionAndEmptyEnvironment_isStillOfTheRun() async {
        await #expect(processExitsWith: .success) {
            let cgroup = try TestCgroup()
            let nest = try Nest(cgroup: cgroup.path)
            try #require(nest.containment.guarantee == .exact && nest.containment.note == nil)
            let life = try nest.start("(setsid env -i /bin/sh -c '/bin/sleep 600 & echo up' &) ; exit 0")
            _ = try life.lines(1)
            try #require(try nest.reap(life) == .code(0))
            try #require(life.scope.isEmpty() == false)
            try #require(try nest.reap { life.scope.members().map(\.name) == ["sleep"] })
            try #require(nest.containment.strays().isEmpty)
            life.scope.signalAll(.terminate)
            try #require(try nest.reap { life.scope.isEmpty() })
            life.scope.close()
            try #require(try nest.reap())
            try cgroup.remove()
        }
    }

    @Test func kill_reachesAForkBombAndTheGroupGoes() async {
        await #expect(processExitsWith: .success) {
            let cgroup = try TestCgroup()
            let nest = try Nest(cgroup: cgroup.path)
            let life = try nest.start(
                "trap '' TERM; n=0; while :; do sleep 600 & n=$((n+1)); [ $n = 50 ] && echo up; [ $n -gt 2000 ] && wait; done"
            )
            _ = try life.lines(1)
            life.scope.killAll()
            _ = try nest.reap(life)
            try #require(try nest.reap { life.scope.isEmpty() })
            life.scope.close()
            try #require(try nest.kernel.list(cgroup.path).filter { $0.hasPrefix("run-") }.isEmpty)
            try cgroup.remove()
        }
    }

    /// Root's runs may leave. Where they go nothing tells of them but their descent.
    @Test func mainProcessThatLeft_isKilledAllTheSame() async {
        await #expect(processExitsWith: .success) {
            let cgroup = try TestCgroup()
            let nest = try Nest(cgroup: cgroup.path)
            let life = try nest.start("echo $$ > \(TestCgroup.mount ?? "")/cgroup.procs; echo up; exec sleep 600")
            _ = try life.lines(1)
            try #require(life.scope.holds(life.process) == true)
            try #require(life.scope.members().map(\.process) == [life.process])
            life.scope.killAll()
            try #require(try nest.reap(life) != nil)
            try #require(try nest.reap { life.scope.isEmpty() })
            life.scope.close()
            try nest.reap()
            try cgroup.remove()
        }
    }

    @Test func descendantThatLeft_holdsItsRunOpen_andGoesWithIt() async {
        await #expect(processExitsWith: .success) {
            let cgroup = try TestCgroup()
            let nest = try Nest(cgroup: cgroup.path)
            let life = try nest.start(
                "setsid env -i /bin/sh -c 'echo $$ > \(TestCgroup.mount ?? "")/cgroup.procs; echo up; exec /bin/sleep 600' & wait"
            )
            _ = try life.lines(1)
            // The look before the stop signal: afterwards nothing tells whose it was.
            life.scope.snapshot()
            try nest.kernel.signal(life.pidfd, .kill)
            _ = try nest.reap(life)
            try #require(try nest.reap { life.scope.members().map(\.name) == ["sleep"] })
            try #require(life.scope.isEmpty() == false)
            try #require(nest.containment.strays().isEmpty)
            let sweep = life.scope.sweep(.kill)
            sweep.finish()
            try #require(sweep.leavers.map(\.name) == ["sleep"])
            try #require(try nest.reap { life.scope.isEmpty() })
            life.scope.close()
            try #require(try nest.reap { try nest.reap() })
            try cgroup.remove()
        }
    }

    @Test func emptiness_isReportedAsPriorityEvent() async {
        await #expect(processExitsWith: .success) {
            let cgroup = try TestCgroup()
            let nest = try Nest(cgroup: cgroup.path)
            // Of one that may leave its orphans have to be reaped as well.
            let life = try nest.start("(trap '' TERM; echo up; sleep 600) & exit 0") {
                $0.identity = Identity(uid: 54_320, gid: 54_320, groups: [], user: "own")
            }
            _ = try life.lines(1)
            _ = try nest.reap(life)
            let poller = try Poller(nest.kernel)
            try life.scope.watch(with: poller, token: 5)
            life.scope.killAll()
            var seen = false
            while !life.scope.isEmpty() {
                try poller.wait(atMost: .seconds(20))
                seen = seen || poller.batch.count > 0
                try #require(poller.batch.count > 0)
            }
            life.scope.unwatch(with: poller)
            life.scope.close()
            try nest.reap()
            try cgroup.remove()
        }
    }

    @Test func nexusd_livesInTheLeaf_andEndsWhatAFormerOneLeft() async {
        await #expect(processExitsWith: .success) {
            let cgroup = try TestCgroup()
            let kernel = LiveKernel()
            var first: Nest? = try Nest(cgroup: cgroup.path)
            let left = try first?.start("echo up; exec sleep 600")
            _ = try left?.lines(1)
            first = nil
            let second = try Nest(cgroup: cgroup.path)
            let outcome = second.containment.endLeftovers(of: [])
            try #require(outcome.count == 1 && outcome.named.map(\.process) == [left?.process])
            try #require(outcome.remaining.isEmpty)
            try #require(try kernel.list(cgroup.path).filter { $0.hasPrefix("run-") }.isEmpty)
            let line = String(decoding: try kernel.readFile("/proc/self/cgroup", limit: 65_536), as: UTF8.self)
            try #require(line.contains("/supervisor\n"))
            try #require(try second.reap { try second.reap() })
            try cgroup.remove()
        }
    }

    @Test func groupsARunMadeBelow_goWithIt() async {
        await #expect(processExitsWith: .success) {
            let cgroup = try TestCgroup()
            let nest = try Nest(cgroup: cgroup.path)
            let own = "\(cgroup.path)/run-child-60000000-1"
            let life = try nest.start(
                "mkdir -p \(own)/a.slice/b; echo $$ > \(own)/a.slice/b/cgroup.procs; echo up; exec sleep 600")
            _ = try life.lines(1)
            try #require(life.scope.members().map(\.process) == [life.process])
            life.scope.killAll()
            _ = try nest.reap(life)
            try #require(try nest.reap { life.scope.isEmpty() })
            life.scope.close()
            #expect(throws: Errno.noEntry) { try nest.kernel.status(own, followingLinks: false) }
            try cgroup.remove()
        }
    }

    @Test func cgroupThatWasNotGiven_isNotTouched() async {
        await #expect(processExitsWith: .success) {
            // The test process is in no delegated cgroup, or in one that names are compared in.
            let kernel = LiveKernel()
            let root = try TestCgroup()
            let procs = try kernel.open(root.path + "/cgroup.procs", .writeOnly, mode: 0)
            try kernel.writeAll(procs, [UInt8(ascii: "0")])
            let containment = try Containment(kernel, override: nil)
            try #require(containment.guarantee == .wholeTreeOnly)
            try #require(containment.note?.contains("not delegated") == true)
            try #require(try kernel.list(root.path).filter { !$0.contains(".") }.isEmpty)
            try root.remove()
        }
    }

    @Test func cgroupMarkedAsDelegated_isUsed() async {
        await #expect(processExitsWith: .success) {
            let kernel = LiveKernel()
            let root = try TestCgroup()
            try #require(setxattr(root.path, "user.delegate", "1", 1, 0) == 0)
            let procs = try kernel.open(root.path + "/cgroup.procs", .writeOnly, mode: 0)
            try kernel.writeAll(procs, [UInt8(ascii: "0")])
            let nest = try Nest()
            try #require(nest.containment.guarantee == .exact)
            let life = try nest.start("exit 0")
            try #require(try nest.reap(life) == .code(0))
            try #require(life.scope.isEmpty())
            life.scope.close()
            try root.remove()
        }
    }

    /// A run of nexusd's own uid nests as deep as it likes.
    @Test func deeplyNestedCgroups_goWithTheRun() throws {
        let kernel = LiveKernel()
        let cgroup = try TestCgroup()
        var path = cgroup.path
        for _ in 0..<20 {
            path += "/d"
            try kernel.makeDirectory(path, mode: 0o755)
        }
        CgroupTree(kernel, path: cgroup.path).remove()
        #expect(throws: Errno.noEntry) { try kernel.status(cgroup.path, followingLinks: false) }
    }
}
