import SupervisorCore
import Testing

@Suite("Health", .timeLimit(.minutes(1)))
struct HealthTests {
    @Test func watchdog_bitesWithoutPings_andNotWithThem() {
        var scene = Scene.ready([ChildPolicy(watchdog: .seconds(10))])
        scene.pass(.seconds(9))
        scene.send(.watchdogPing(.a, scene.run(.a)))
        #expect(scene.pass(.milliseconds(9_999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["say stopping a watchdog", "TERM main a"])
        #expect(scene.ends(.a, .killed).contains("say ended a watchdog"))
    }

    @Test func liveness_takesSeveralMissesInARow() {
        let rule = LivenessRule(interval: .seconds(5), misses: 3)
        var scene = Scene.ready([ChildPolicy(liveness: rule)])
        func answer(_ healthy: Bool) -> Event { .probed(.a, scene.run(.a), healthy: healthy) }
        for healthy in [false, false, true, false, false] {
            #expect(scene.pass(.seconds(5)) == ["probe a"])
            #expect(scene.send(answer(healthy)) == [])
        }
        #expect(scene.pass(.seconds(5)) == ["probe a"])
        #expect(scene.send(answer(false)) == ["say stopping a probe", "TERM main a"])
    }

    @Test func liveness_beginsAfterItsGrace() {
        let rule = LivenessRule(interval: .seconds(1), misses: 1, first: .seconds(60))
        var scene = Scene.ready([ChildPolicy(liveness: rule)])
        #expect(scene.pass(.milliseconds(59_999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["probe a"])
        scene.send(.probed(.a, scene.run(.a), healthy: true))
        #expect(scene.pass(.seconds(1)) == ["probe a"])
    }

    @Test func readinessProbe_waitsForItsFirst() {
        var scene = Scene.begun([ChildPolicy(ready: .probed(interval: .seconds(1)), firstProbe: .seconds(5))])
        #expect(scene.spawned(.a) == [])
        #expect(scene.pass(.milliseconds(4999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["probe a"])
    }

    @Test func unansweredProbe_isNoMiss_andAskedAgain() {
        var scene = Scene.ready([ChildPolicy(liveness: LivenessRule(interval: .seconds(1), misses: 2))])
        for _ in 0..<10 {
            #expect(scene.pass(.seconds(1)) == ["probe a"])
            #expect(scene.send(.unprobed(.a, scene.run(.a))) == [])
        }
        #expect(scene.pass(.seconds(1)) == ["probe a"])
        #expect(scene.send(.probed(.a, scene.run(.a), healthy: false)) == [])
        #expect(scene.pass(.seconds(1)) == ["probe a"])
        // Between two misses it says nothing, so they are still two in a row.
        scene.send(.unprobed(.a, scene.run(.a)))
        #expect(scene.pass(.seconds(1)) == ["probe a"])
        #expect(scene.send(.probed(.a, scene.run(.a), healthy: false)).first == "say stopping a probe")
    }

    @Test func watchdogTrigger_endsTheRun_alsoWhileItStarts() {
        var scene = Scene.ready([ChildPolicy(watchdog: .seconds(10)), .reporting()])
        #expect(scene.send(.watchdogTrigger(.a, scene.run(.a))) == ["say stopping a watchdog", "TERM main a"])
        scene.spawned(.b)
        #expect(scene.send(.watchdogTrigger(.b, scene.run(.b))) == ["say stopping b watchdog", "TERM main b"])
    }

    @Test func watchdogInterval_countsFromTheMessage_andForThisRunOnly() {
        var scene = Scene.ready([ChildPolicy(delay: DelayRule(first: .zero), watchdog: .seconds(10))])
        scene.pass(.seconds(9))
        scene.send(.watchdogInterval(.a, scene.run(.a), .seconds(2)))
        #expect(scene.pass(.milliseconds(1999)) == [])
        scene.send(.watchdogPing(.a, scene.run(.a)))
        #expect(scene.pass(.milliseconds(1999)) == [])
        #expect(scene.pass(.milliseconds(1)).first == "say stopping a watchdog")
        scene.ends(.a, .killed)
        scene.spawned(.a)
        #expect(scene.pass(.milliseconds(9999)) == [])
        #expect(scene.pass(.milliseconds(1)).first == "say stopping a watchdog")
    }

    @Test func watchdogInterval_ofZero_isNoWatchdog_andOneBeforeReadyCounts() {
        var scene = Scene.begun([.reporting()])
        scene.spawned(.a)
        scene.send(.watchdogInterval(.a, scene.run(.a), .seconds(1)))
        scene.send(.ready(.a, scene.run(.a)))
        #expect(scene.pass(.milliseconds(999)) == [])
        scene.send(.watchdogInterval(.a, scene.run(.a), .zero))
        #expect(scene.pass(.seconds(100_000)) == [])
    }

    @Test func liveness_asksOnceAtATime() {
        var scene = Scene.ready([ChildPolicy(liveness: LivenessRule(interval: .seconds(1), misses: 1))])
        #expect(scene.pass(.seconds(60)) == ["probe a"])
    }

    @Test func healthWords_countWithoutAProbe() {
        var scene = Scene.ready([ChildPolicy()])
        for healthy in [false, false, true, false, false] {
            #expect(scene.send(.judged(.a, scene.run(.a), healthy: healthy)) == [])
        }
        #expect(LivenessRule.defaultMisses == 3)
        #expect(scene.send(.judged(.a, scene.run(.a), healthy: false)) == ["say stopping a probe", "TERM main a"])
    }

    @Test func healthWords_moreOftenThanTheProbe_doNotKeepItFromBeingAsked() {
        let rule = LivenessRule(interval: .seconds(5), misses: 3)
        var scene = Scene.ready([ChildPolicy(liveness: rule)])
        for second in 1...60 {
            #expect(scene.pass(.seconds(1)) == (second % 5 == 0 ? ["probe a"] : []))
            // While the probe is out too: the word is not its answer, and no second one is asked for it.
            #expect(scene.send(.judged(.a, scene.run(.a), healthy: second % 2 == 0)) == [])
            if second % 5 == 0 { #expect(scene.send(.probed(.a, scene.run(.a), healthy: true)) == []) }
        }
    }

    @Test func healthWords_duringAProbe_leaveItOut() {
        var scene = Scene.ready([ChildPolicy(liveness: LivenessRule(interval: .seconds(5), misses: 3))])
        #expect(scene.pass(.seconds(5)) == ["probe a"])
        scene.send(.judged(.a, scene.run(.a), healthy: true))
        #expect(scene.pass(.seconds(60)) == [])
        scene.send(.unprobed(.a, scene.run(.a)))
        #expect(scene.pass(.seconds(5)) == ["probe a"])
    }

    @Test func missesOfTheProbe_andOfAWorker_areNotClearedByEachOther() {
        let rule = LivenessRule(interval: .seconds(5), misses: 2)
        var probing = Scene.ready([ChildPolicy(liveness: rule)])
        probing.pass(.seconds(5))
        probing.send(.probed(.a, probing.run(.a), healthy: false))
        #expect(probing.send(.judged(.a, probing.run(.a), healthy: false)) == [])
        probing.send(.judged(.a, probing.run(.a), healthy: true))
        probing.pass(.seconds(5))
        #expect(probing.send(.probed(.a, probing.run(.a), healthy: false)).first == "say stopping a probe")

        var judging = Scene.ready([ChildPolicy(liveness: rule)])
        judging.send(.judged(.a, judging.run(.a), healthy: false))
        judging.pass(.seconds(5))
        judging.send(.probed(.a, judging.run(.a), healthy: true))
        #expect(judging.send(.judged(.a, judging.run(.a), healthy: false)).first == "say stopping a probe")
    }

    @Test func healthWords_whileItStarts_areNoReadinessProbe() {
        var scene = Scene.begun([ChildPolicy(ready: .probed(interval: .seconds(1)), firstProbe: .seconds(5))])
        scene.spawned(.a)
        for healthy in [true, false] { #expect(scene.send(.judged(.a, scene.run(.a), healthy: healthy)) == []) }
        #expect(scene.phase(.a) == .starting)
        #expect(scene.pass(.milliseconds(4999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["probe a"])
    }

    @Test func lateLoop_shiftsHealthButNotStops() {
        let rule = LivenessRule(interval: .seconds(5), misses: 1)
        var scene = Scene.ready([
            ChildPolicy(liveness: rule), ChildPolicy(watchdog: .seconds(10)), ChildPolicy(),
        ])
        scene.command(.stop(.child(.c)))
        scene.now = scene.now + .seconds(12)
        #expect(scene.send(.late(.seconds(12))) == [])
        #expect(scene.send(.tick) == ["say killing c", "KILL all c"])
        #expect(scene.pass(.seconds(5)).contains("probe a"))
        #expect(scene.phase(.b) == .ready)
        #expect(scene.pass(.seconds(5)).contains("say stopping b watchdog"))
        #expect(scene.send(.late(.seconds(-1))) == [])
    }

    @Test func extendTimeout_movesTheStartTimeout_atMostTenfold() {
        var scene = Scene.begun([.reporting()])
        scene.spawned(.a)
        scene.send(.extendTimeout(.a, scene.run(.a), .seconds(100)))
        #expect(scene.pass(.milliseconds(99_999)) == [])
        scene.send(.extendTimeout(.a, scene.run(.a), .seconds(1_000_000)))
        #expect(scene.pass(.milliseconds(500_000)) == [])
        #expect(scene.pass(.milliseconds(1)).first == "say stopping a probe")
    }

    @Test func extendTimeout_neverShortens_andEndsAtTheSecondLevel() {
        var scene = Scene.ready([ChildPolicy()])
        scene.command(.stop(.child(.a)))
        scene.send(.extendTimeout(.a, scene.run(.a), .seconds(1)))
        #expect(scene.pass(.milliseconds(9_999)) == [])
        scene.send(.extendTimeout(.a, scene.run(.a), .seconds(1_000)))
        #expect(scene.pass(.seconds(80)) == [])
        scene.send(.shutdown(level: 2))
        scene.send(.extendTimeout(.a, scene.run(.a), .seconds(9)))
        #expect(scene.pass(.seconds(1)) == ["say killing a", "KILL all a"])
    }
}
