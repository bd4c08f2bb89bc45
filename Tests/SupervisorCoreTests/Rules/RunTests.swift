import SupervisorCore
import Testing

@Suite("The life of a run", .timeLimit(.minutes(1)))
struct RunTests {
    @Test func spawn_isToldFirst() {
        var scene = Scene([ChildPolicy()])
        #expect(scene.start() == ["say starting a", "spawn a"])
        #expect(scene.run(.a).description == "1-1")
    }

    @Test func treeThatServes_armsNothing() {
        var scene = Scene.ready([.reporting(), ChildPolicy(), .reporting(requires: [.a], restart: .onFailure)])
        #expect(scene.supervisor.nextDeadline == nil)
        // After a failure there is something to forget; when it is forgotten, nothing more.
        scene.pass(.seconds(1))
        scene.ends(.a)
        scene.bringAllUp()
        #expect(scene.pass(.seconds(60)) == [])
        #expect(scene.supervisor.nextDeadline == nil)
    }

    @Test func execSucceeded_isReadyWhereTheRuleSaysSo() {
        var scene = Scene.begun([ChildPolicy()])
        #expect(scene.spawned(.a) == ["say ready a"])
        #expect(scene.phase(.a) == .ready)
    }

    @Test func readyWord_beforeTheSpawnAnswer_counts() {
        var scene = Scene.begun([.reporting()])
        #expect(scene.ready(.a) == ["say ready a"])
        #expect(scene.spawned(.a) == [])
        #expect(scene.phase(.a) == .ready)
    }

    @Test func probedReadiness_asksAgainAfterTheInterval() {
        var scene = Scene.begun([ChildPolicy(ready: .probed(interval: .milliseconds(200)))])
        #expect(scene.spawned(.a) == ["probe a"])
        #expect(scene.pass(.seconds(1)) == [])
        scene.send(.probed(.a, scene.run(.a), healthy: false))
        #expect(scene.pass(.milliseconds(199)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["probe a"])
        #expect(scene.send(.probed(.a, scene.run(.a), healthy: true)) == ["say ready a"])
    }

    @Test func startTimeout_endsTheRunAsProbe() {
        var scene = Scene.begun([.reporting()])
        scene.spawned(.a)
        #expect(scene.pass(.seconds(60)) == ["say stopping a probe", "TERM main a"])
        #expect(scene.exited(.a, .code(0)) == ["KILL all a"])
        #expect(scene.emptied(.a).first == "say ended a probe")
    }

    @Test func startTimeout_countsFromTheStart_alsoWhileTheExecIsWaitedFor() {
        var late = Scene.begun([.reporting()])
        late.pass(.seconds(59))
        late.spawned(.a)
        #expect(late.view(.a).until.map { $0 - late.now } == .seconds(1))
        #expect(late.pass(.seconds(1)) == ["say stopping a probe", "TERM main a"])

        for policy in [ChildPolicy(), .reporting()] {
            var never = Scene.begun([policy])
            #expect(never.view(.a).until.map { $0 - never.now } == .seconds(60))
            #expect(never.pass(.seconds(60)) == ["say stopping a probe", "TERM main a"])
            // Executed after all: that changes nothing any more.
            #expect(never.spawned(.a) == [])
            #expect(never.exited(.a, .killed) == ["KILL all a"])
            #expect(never.emptied(.a).prefix(2) == ["say ended a probe", "say starting a"])
        }
    }

    @Test func stopBeforeTheExec_needsNoMoreThanAProcess() {
        let stop = ["say stopping a asked", "TERM main a"]
        var early = Scene.begun([ChildPolicy()])
        #expect(early.command(.stop(.child(.a))) == [])
        #expect(early.cloned(.a) == stop)
        var scene = Scene.begun([ChildPolicy()])
        #expect(scene.cloned(.a) == [] && scene.phase(.a) == .starting)
        #expect(scene.command(.stop(.child(.a))) == stop)
        // Whatever becomes of its exec meanwhile.
        var executed = scene
        #expect(executed.spawned(.a) == [])
        #expect(executed.ends(.a, .killed).suffix(2) == ["say ended a asked", "answer 1 done"])
        let failed = scene.send(.spawnFailed(.a, scene.run(.a), .exec, errno: 2))
        #expect(failed == ["say ended a asked", "answer 1 done"])
        #expect(scene.view(.a).lastEnd?.exit == .notExecuted(.exec, errno: 2))
    }

    @Test func restartBeforeTheExec_takesTheNextProcess() {
        var scene = Scene.begun([ChildPolicy()])
        scene.cloned(.a)
        #expect(scene.command(.restart(.child(.a))) == ["say stopping a asked", "TERM main a"])
        #expect(scene.ends(.a, .killed).suffix(2) == ["say starting a", "spawn a"])
        #expect(scene.spawned(.a) == ["say ready a", "answer 1 done"])
    }

    @Test func execInTime_butHeardOfLate_isReadyByThat() {
        var scene = Scene.begun([ChildPolicy()])
        scene.now = scene.now + .seconds(61)
        #expect(scene.spawned(.a) == ["say ready a"])
    }

    @Test func crash_killsTheRest_andIsReplacedWhenEmpty() {
        var scene = Scene.ready([ChildPolicy()])
        scene.pass(.seconds(1))
        #expect(scene.exited(.a, .crash) == ["KILL all a"])
        #expect(scene.phase(.a) == .stopping)
        #expect(scene.emptied(.a) == ["say ended a crash", "say starting a", "spawn a"])
    }

    @Test func askedStop_signalsMain_thenTheRestOnce_thenKills() {
        var scene = Scene.ready([ChildPolicy()])
        #expect(scene.command(.stop(.child(.a))) == ["say stopping a asked", "TERM main a"])
        scene.pass(.seconds(4))
        #expect(scene.exited(.a, .code(0)) == ["TERM all a"])
        #expect(scene.pass(.milliseconds(5_999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["say killing a", "KILL all a"])
        #expect(scene.emptied(.a) == ["say ended a asked", "answer 1 done"])
    }

    @Test func worker_isDrainedFirst() {
        let stop = StopRule(drain: .seconds(2), signal: Signal(rawValue: 2))
        var scene = Scene.ready([ChildPolicy(stop: stop)])
        #expect(scene.command(.stop(.child(.a))) == ["say stopping a asked", "drain a"])
        #expect(scene.send(.drained(.a, scene.run(.a))) == ["signal 2 main a"])
        #expect(scene.send(.drained(.a, scene.run(.a))) == [])

        var silent = Scene.ready([ChildPolicy(stop: stop)])
        silent.command(.stop(.child(.a)))
        #expect(silent.pass(.seconds(2)) == ["signal 2 main a"])
        #expect(silent.exited(.a, .code(0)) == ["signal 2 all a"])
    }

    @Test func exitWhileDraining_givesTheRestItsTimeout() {
        var scene = Scene.ready([ChildPolicy(stop: StopRule(drain: .seconds(2)))])
        scene.command(.stop(.child(.a)))
        #expect(scene.exited(.a, .code(0)) == ["TERM all a"])
        #expect(scene.pass(.seconds(10)) == ["say killing a", "KILL all a"])
    }

    @Test func outlivingSigkill_isUnkillable_andGoesOnWhenItEmpties() {
        var scene = Scene.ready([ChildPolicy()])
        scene.command(.restart(.child(.a)))
        #expect(scene.pass(.seconds(10)) == ["say killing a", "KILL all a"])
        #expect(scene.pass(.seconds(5)) == ["say unkillable a", "answer 1 failed a unkillable"])
        #expect(scene.phase(.a) == .unkillable)
        #expect(scene.command(.start(.child(.a))) == ["answer 2 failed a unkillable"])
        #expect(scene.exited(.a, .killed) == [])
        #expect(scene.emptied(.a) == ["say ended a asked", "say starting a", "spawn a"])
    }

    @Test func stopWhileSpawning_waitsForTheAnswer() {
        var scene = Scene.begun([.reporting()])
        #expect(scene.command(.stop(.child(.a))) == [])
        #expect(scene.spawned(.a) == ["say stopping a asked", "TERM main a"])
        #expect(scene.ends(.a, .killed).suffix(2) == ["say ended a asked", "answer 1 done"])
    }

    @Test func exitBeforeTheSpawnAnswer_isTaken() {
        var scene = Scene.begun([.reporting()])
        #expect(scene.ends(.a).contains("say ended a crash"))
        #expect(scene.phase(.a) == .delayed)
    }

    @Test func stoppingWord_leavesTheRunTheStopTimeout_andItsExitIsJudged() {
        var scene = Scene.ready([ChildPolicy(watchdog: .seconds(1))])
        #expect(scene.send(.stopping(.a, scene.run(.a))) == [])
        #expect(scene.phase(.a) == .stopping)
        #expect(scene.pass(.milliseconds(9_999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["say killing a", "KILL all a"])
        #expect(scene.ends(.a, .killed).contains("say ended a crash"))
    }

    @Test func eventsOfDeadRunsAndUnknownIds_areIgnored() {
        var scene = Scene.ready([ChildPolicy(), ChildPolicy()])
        let dead = scene.run(.a)
        scene.pass(.seconds(1))
        scene.ends(.a)
        let before = scene.phases()
        let strange = [
            (ChildID.a, dead), (.a, RunID(rawValue: 0)), (.a, scene.run(.b)), (ChildID(rawValue: 0), dead),
            (ChildID(rawValue: .max), scene.run(.a)),
        ]
        for (child, run) in strange {
            for event in StateEventTable.runEvents(child, run) { #expect(scene.send(event) == []) }
        }
        #expect(scene.phases() == before)
        #expect(scene.view(ChildID(rawValue: 0)).phase == .off)
        #expect(scene.supervisor.parked(GroupID(rawValue: 7)) == nil)
    }

    @Test func brokenLink_endsTheRunWithItsCause() {
        var scene = Scene.ready([ChildPolicy(stop: StopRule(drain: .seconds(2)))])
        #expect(scene.send(.linkBroken(.a, scene.run(.a), .probe)) == ["say stopping a probe", "TERM main a"])
        #expect(scene.ends(.a, .code(0)).contains("say ended a probe"))

        // The bus has no other words for a link than these; whatever it says is no excuse.
        var odd = Scene.ready([ChildPolicy()])
        #expect(odd.send(.linkBroken(.a, odd.run(.a), .asked)) == ["say stopping a crash", "TERM main a"])
    }

    @Test func brokenLinkWhileDraining_goesOnWithTheSignal() {
        var scene = Scene.ready([ChildPolicy(stop: StopRule(drain: .seconds(2)))])
        scene.command(.stop(.child(.a)))
        #expect(scene.send(.linkBroken(.a, scene.run(.a), .crash)) == ["TERM main a"])
        #expect(scene.ends(.a, .code(0)).contains("say ended a asked"))
    }
}
