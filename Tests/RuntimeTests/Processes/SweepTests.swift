import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

/// Without a cgroup: looks and signals go in steps, everybody is judged once, and nobody gets away between two steps.
@Suite(.timeLimit(.minutes(1)))
struct SweepTests {
    /// As many processes as several turns have looks for, each in a session of its own.
    private static let crowd = 3 * Descendants.looksPerTurn

    private static func crowd(_ nest: Nest) throws -> Nest.Life {
        let life = try nest.start(
            "trap '' TERM; n=0; while [ $n -lt \(crowd) ]; do setsid sleep 600 & n=$((n+1)); done; echo up; wait")
        _ = try life.lines(1)
        return life
    }

    @Test func killOfMany_takesAFewTurns_andLeavesNobody() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try Self.crowd(nest)
            let sweep = life.scope.sweep(.kill)
            var turns = 1
            while !sweep.proceed() {
                try #require(sweep.reached <= turns * Descendants.looksPerTurn)
                _ = nest.containment.goOn()
                turns += 1
            }
            // Each is looked at once and signalled once.
            try #require(turns >= 2 * Self.crowd / Descendants.looksPerTurn && sweep.reached > Self.crowd)
            try #require(try nest.reap { life.scope.isEmpty() })
            try #require(try nest.reap { try nest.reap() })
        }
    }

    @Test func whoIsToBeKilled_standsStillBeforeTheFirstDies() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try Self.crowd(nest)
            let members = life.scope.members()
            let sweep = life.scope.sweep(.kill)
            while sweep.reached == 0 {
                try #require(!sweep.proceed())
                _ = nest.containment.goOn()
            }
            // Whom SIGKILL has not reached stands still: one that ran could fork.
            try #require(
                try nest.reap {
                    members.count { state(of: $0.process, nest.kernel) == "T" } >= members.count - sweep.reached
                })
            sweep.finish()
            try #require(try nest.reap { try nest.reap() })
        }
    }

    @Test func lookBeforeAStop_takesAFewTurns_andRemembersAll() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start(
                "n=0; while [ $n -lt \(Self.crowd) ]; do setsid env -i /bin/sleep 600 & n=$((n+1)); done; echo up; wait"
            )
            _ = try life.lines(1)
            let sweep = life.scope.sweep(nil)
            var turns = 1
            while !sweep.proceed() {
                _ = nest.containment.goOn()
                turns += 1
            }
            try #require(turns >= Self.crowd / Descendants.looksPerTurn)
            try nest.kernel.signal(life.pidfd, .kill)
            _ = try nest.reap(life)
            // Orphans that nothing else tells from strangers.
            try #require(life.scope.members().count == Self.crowd)
            life.scope.killAll()
            try #require(try nest.reap { try nest.reap() })
        }
    }

    @Test func strays_areNotReadAgainAtEachDeath() async {
        await #expect(processExitsWith: .success) {
            let kernel = FaultyKernel()
            let nest = try Nest(kernel)
            let life = try nest.start(
                "n=0; while [ $n -lt 60 ]; do (setsid env -i /bin/sleep 600 &); n=$((n+1)); done; echo up; exec sleep 600"
            )
            _ = try life.lines(1)
            // Who is met before its environment is empty is known for one of the run, and stays it.
            try #require(
                try nest.reap { nest.containment.strays().count + life.scope.members().count == 60 + 1 })
            // An empty environment may be one for the moment, so each is looked at a few times.
            let end = kernel.monotonic() + .seconds(10)
            var calls = Int.max
            while calls >= 40, kernel.monotonic() < end {
                let other = try nest.start("exit 0")
                _ = try nest.reap(other)
                let before = kernel.counts.values.reduce(0, +)
                try #require(other.scope.isEmpty())
                other.scope.killAll()
                calls = kernel.counts.values.reduce(0, +) - before
                other.scope.close()
            }
            // Far below one call for each stray.
            try #require(calls < 40, "\(calls) calls at a death")
            life.scope.killAll()
            nest.containment.signalStrays(.kill)
            try #require(try nest.reap { try nest.reap() })
        }
    }

    @Test func orphanThatForksAndExitsWithoutEnd_isCaught() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            // Each generation lives for a moment only, and its child is an orphan in a session of its own.
            let life = try nest.start(
                "export CHAIN='sleep 0.01; setsid /bin/sh -c \"$CHAIN\" & exit'; setsid /bin/sh -c \"$CHAIN\" & echo up; exec sleep 600"
            )
            _ = try life.lines(1)
            life.scope.killAll()
            _ = try nest.reap(life)
            try #require(
                try nest.reap {
                    if life.scope.isEmpty() { return try nest.reap() }
                    if life.scope.hasNewcomers { life.scope.killAll() }
                    return false
                })
        }
    }
}

private func state(of process: ProcessID, _ kernel: any Kernel) -> Character {
    let stat = String(decoding: (try? kernel.readFile("/proc/\(process)/stat", limit: 4096)) ?? [], as: UTF8.self)
    return stat.split(separator: ")").last?.dropFirst().first ?? "X"
}
