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

    @Test func liveness_asksOnceAtATime() {
        var scene = Scene.ready([ChildPolicy(liveness: LivenessRule(interval: .seconds(1), misses: 1))])
        #expect(scene.pass(.seconds(60)) == ["probe a"])
    }

    @Test func healthWords_countWithoutAProbe() {
        var scene = Scene.ready([ChildPolicy()])
        for _ in 1..<LivenessRule.defaultMisses {
            #expect(scene.send(.probed(.a, scene.run(.a), healthy: false)) == [])
        }
        #expect(scene.send(.probed(.a, scene.run(.a), healthy: false)) == ["say stopping a probe", "TERM main a"])
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
