import CNexus
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

@Suite(.timeLimit(.minutes(1)))
struct SpawnerTests {
    @Test func environment_isThePlannedOneAndTheRuns() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start("env | grep -v ^PWD= | sort; echo $$") { child in
                child.policy.watchdog = .seconds(3)
            }
            var lines = try life.lines(8)
            try #require(lines.removeLast() == "\(life.process)")
            try #require(
                lines == [
                    "NEXUS_CHILD=child", "NEXUS_LIFE=\(LifeID.test)", "NEXUS_RUN_ID=60000000-1", "PATH=/usr/bin:/bin",
                    "WATCHDOG_PID=\(life.process)",
                    "WATCHDOG_USEC=3000000",
                ])
            try #require(try nest.reap(life) == .code(0))
        }
    }

    @Test func limits_givesTheOriginalFileLimitBackUnlessThePlanSaysOtherwise() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            try #require(try nest.start("ulimit -n").lines(1) == ["256"])
            let planned = try nest.start("ulimit -n") { $0.limits = [Limit(resource: 7, soft: 99, hard: 100)] }
            try #require(try planned.lines(1) == ["99"])
        }
    }

    @Test func missingValues_failInPrepare() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let missing: [Text.Piece] = [.captured(ChildID(rawValue: 1), name: "port"), .secret(0)]
            for piece in missing {
                do {
                    _ = try nest.start("true") { $0.arguments.append(Text(pieces: [.literal("--x="), piece])) }
                    exit(1)
                } catch let failure as SpawnFailure {
                    try #require(failure == SpawnFailure(stage: .prepare, error: .noData))
                }
            }
        }
    }

    @Test func texts_areResolvedInOrder() throws {
        let values = TextValues(captured: { $0.rawValue == 2 && $1 == "port" ? "4096" : nil }, secret: { "s\($0)" })
        let text = Text(pieces: [.literal("a="), .captured(ChildID(rawValue: 2), name: "port"), .secret(3)])
        #expect(try values.resolve(text) == "a=4096s3")
        #expect(throws: MissingValue.self) {
            try values.resolve(Text(pieces: [.captured(ChildID(rawValue: 1), name: "port")]))
        }
    }

    @Test func whole_spawn_failingAtEveryCall_leaksNothingAndLeavesNoProcess() async {
        await #expect(processExitsWith: .success) {
            let directory = TemporaryDirectory()
            let nest = try Nest()
            let leaks = try leaksDescriptors(over: 10) {
                for forEver in [false, true] {
                    let calls = try FaultyKernel.sweep(.tooManyOpen, forEver: forEver) { faulty in
                        try SpawnerTests.wholeRun(faulty, directory.path)
                        try #require(try nest.reap { try nest.reap() })
                    }
                    try #require(calls >= 8)
                }
            }
            try #require(!leaks)
        }
    }

    /// Everything a run needs, on a kernel that may fail anywhere; whatever was started is ended by the real one.
    private static func wholeRun(_ faulty: FaultyKernel, _ directory: String) throws {
        let real = LiveKernel()
        guard let spawner = try? Spawner(faulty, openFiles: try real.limit(ResourceLimit.openFiles), life: .test),
            let containment = try? Containment(faulty, override: nil)
        else { return }
        let run = RunID(second: 1, count: 1)
        do {
            let socket = try NotifySocket(
                faulty, Disposal(faulty), directory: directory, child: "child", user: real.userID(), group: 0)
            defer { socket.remove() }
            let scope = try containment.open(child: "child", run: run)
            defer { scope.close() }
            let pipe = try faulty.makePipe(blocking: .write)
            let child = ChildPlan(name: "child", executable: "/bin/sleep", arguments: [Text("sleep"), Text("600")])
            let mapping = [DescriptorMapping(source: pipe.write.raw, target: 1)]
            let spawned = try spawner.spawn(
                SpawnRequest(child: child, run: run, descriptors: mapping), in: scope,
                values: TextValues(captured: { _, _ in nil }, secret: { _ in nil }))
            try real.signal(spawned.pidfd, .kill)
        } catch let error as Errno {
            try #require(error == .tooManyOpen)
        } catch let failure as SpawnFailure {
            try #require(failure.error == .tooManyOpen)
        }
    }
}
