import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

/// Without a cgroup: what can be told of one run, and that nothing is left at shutdown.
@Suite(.timeLimit(.minutes(1)))
struct ContainmentTests {
    @Test func plainRun_isEmptyOnceItsProcessIsReaped() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start("exit 7")
            try #require(nest.containment.guarantee == .wholeTreeOnly && nest.containment.note != nil)
            try #require(life.scope.isEmpty() == false)
            try #require(try nest.reap(life) == .code(7))
            try #require(life.scope.isEmpty())
            life.scope.close()
            try #require(try nest.reap())
        }
    }

    @Test func leaderExits_childrenOfItsSessionStay_areFoundAndKilled() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start("sleep 600 & sleep 600 & echo up; exit 3")
            try #require(try nest.reap(life) == .code(3))
            try #require(life.scope.isEmpty() == false)
            let members = life.scope.members()
            try #require(members.map(\.session) == [life.process, life.process])
            life.scope.killAll()
            try #require(try nest.reap { life.scope.isEmpty() })
            try #require(nest.containment.strays().isEmpty)
        }
    }

    @Test func grandchildInItsOwnSession_isFoundByItsRunID() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let other = try nest.start("echo up; exec sleep 600")
            let life = try nest.start("setsid sh -c 'echo up; exec sleep 600' & wait $!")
            _ = try life.lines(1)
            try nest.kernel.signal(life.pidfd, .kill)
            try #require(try nest.reap(life) == .signal(.kill, coreDumped: false, oom: false))
            try #require(life.scope.isEmpty() == false)
            life.scope.signalAll(.terminate)
            try #require(try nest.reap { life.scope.isEmpty() })
            // Nobody else's.
            try #require(isAlive(other.process))
            other.scope.killAll()
            try #require(try nest.reap { other.scope.isEmpty() })
        }
    }

    @Test func grandchildWithEmptiedEnvironment_isKnownFromTheLookBeforeTheStop() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start("setsid env -i sh -c 'echo up; exec sleep 600' & wait $!")
            _ = try life.lines(1)
            life.scope.snapshot()
            try nest.kernel.signal(life.pidfd, .terminate)
            _ = try nest.reap(life)
            try #require(life.scope.isEmpty() == false)
            try #require(life.scope.members().map(\.name) == ["sleep"] || life.scope.members().map(\.name) == ["sh"])
            life.scope.killAll()
            try #require(try nest.reap { life.scope.isEmpty() })
        }
    }

    @Test func doubleForkWithNewSessionAndEmptyEnvironment_isAStrayThatEndsAtShutdown() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start("(setsid env -i /bin/sh -c '/bin/sleep 600 & echo up' &) ; exit 0")
            _ = try life.lines(1)
            try #require(try nest.reap(life) == .code(0))
            try #require(try nest.reap { life.scope.isEmpty() })
            life.scope.close()
            try #require(try nest.reap { nest.containment.strays().map(\.name) == ["sleep"] })
            let reached = nest.containment.signalStrays(.kill)
            try #require(reached.count == 1)
            try #require(try nest.reap { try nest.reap() })
        }
    }

    @Test func runThatForksWithoutEnd_isKilledWhole() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start(
                "trap '' TERM; n=0; while [ $n -lt 2000 ]; do sleep 600 & n=$((n+1)); [ $n = 50 ] && echo up; done; wait"
            )
            _ = try life.lines(1)
            life.scope.killAll()
            try #require(try nest.reap(life) == .signal(.kill, coreDumped: false, oom: false))
            if !life.scope.isEmpty() { life.scope.killAll() }
            try #require(try nest.reap { life.scope.isEmpty() })
            try #require(try nest.reap())
        }
    }

    @Test func processThatIsAnotherOneByNow_getsNoSignal() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start("echo up; exec sleep 600")
            _ = try life.lines(1)
            let entry = try #require(ProcessTable.entry(life.process, nest.kernel))
            let text =
                "\(entry.process) (sleep) S 1 1 \(entry.session) 0 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 \(entry.started + 1)"
            let other = try #require(ProcessEntry(stat: Array(text.utf8)))
            try #require(nest.kernel.signal(other, .kill) { _ in true } == false)
            try #require(nest.kernel.signal(entry, .kill) { _ in false } == false)
            try #require(isAlive(life.process))
            try #require(nest.kernel.signal(entry, .kill) { _ in true })
            _ = try nest.reap(life)
        }
    }

    @Test func aProcessThatIsNoChildOfOurs_isNeverAMember() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start("echo up; exec sleep 600")
            _ = try life.lines(1)
            let members = Set(life.scope.members().map(\.process))
            try #require(members == [life.process])
            try #require(nest.containment.strays().isEmpty)
            life.scope.killAll()
            _ = try nest.reap(life)
        }
    }

    @Test(arguments: [
        ("1 (sh) S 2 3 4 5 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 77 0", "sh", Int32(2), Int32(4), UInt64(77)),
        ("9 (a) b (c) R 8 7 6 5 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 5 0", "a) b (c", 8, 6, 5),
    ]) func statLine_isReadFromTheLastBracket(
        line: String, name: String, parent: Int32, session: Int32, started: UInt64
    ) throws {
        let entry = try #require(ProcessEntry(stat: Array(line.utf8)))
        #expect(entry.name == name && entry.parent.rawValue == parent && entry.session.rawValue == session)
        #expect(entry.started == started)
    }

    @Test(arguments: ["", "1", "1 (sh)", "1 (sh) S 2 3", "x (sh) S 2 3 4 5 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 77 0", ")("])
    func brokenStatLine_isNothing(line: String) { #expect(ProcessEntry(stat: Array(line.utf8)) == nil) }

    @Test func failingCalls_neverTrapAndNeverSignalAStranger() async {
        await #expect(processExitsWith: .success) {
            let kernel = FaultyKernel()
            let nest = try Nest(kernel)
            for nth in 1...40 {
                kernel.fault = nil
                let life = try nest.start("sleep 600 & echo up; wait")
                _ = try life.lines(1)
                kernel.fault = FaultyKernel.Fault(nth: nth, forEver: nth % 2 == 0, error: .tooManyOpen)
                life.scope.snapshot()
                life.scope.signalAll(.terminate)
                _ = life.scope.isEmpty()
                kernel.fault = nil
                life.scope.killAll()
                _ = try nest.reap(life)
                try #require(try nest.reap { life.scope.isEmpty() })
                life.scope.close()
            }
            try #require(try nest.reap())
        }
    }
}
