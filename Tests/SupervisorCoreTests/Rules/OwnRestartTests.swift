import SupervisorCore
import Testing

@Suite("Restarts that a run asks for itself", .timeLimit(.minutes(1)))
struct OwnRestartTests {
    private static func wish(_ scene: inout Scene, _ child: ChildID = .a) -> [String] {
        scene.send(.restartItself(child, scene.run(child)))
    }

    /// It asks as soon as it runs, is over, and is brought up again; the delay before each new run.
    private static func delays(_ scene: inout Scene, _ times: Int) -> [Duration] {
        (0..<times).map { _ in
            let begun = scene.now
            _ = wish(&scene)
            scene.ends(.a, .code(0))
            scene.passToDeadline()
            scene.bringUp(.a)
            return scene.now - begun
        }
    }

    @Test func stableRun_drainsStopsAndIsReplaced_withoutBeingCounted() {
        var scene = Scene.ready([ChildPolicy(ready: .reported, stop: StopRule(drain: .seconds(2)))])
        scene.pass(.seconds(60))
        #expect(Self.wish(&scene) == ["say stopping a asked", "drain a"])
        #expect(Self.wish(&scene) == [])
        #expect(scene.send(.drained(.a, scene.run(.a))) == ["TERM main a"])
        #expect(scene.ends(.a, .code(1)).suffix(3) == ["say ended a asked", "say starting a", "spawn a"])
        #expect(scene.view(.a).unstableRuns == 0)
        #expect(scene.view(.a).restarts == 0)
    }

    @Test func wishAtEachStart_backsOffAndParks_asACrashLoopWould() {
        var policy = ChildPolicy.reporting()
        policy.delay.parkAfter = 4
        policy.delay.slowRetry = nil
        var scene = Scene.ready([policy])
        #expect(Self.delays(&scene, 3) == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(scene.view(.a).unstableRuns == 3)
        _ = Self.wish(&scene)
        #expect(scene.ends(.a, .code(0)).suffix(2) == ["say ended a asked", "say parked a asked"])
        #expect(scene.view(.a).ground == .unstable && scene.view(.a).restarts == 0)
    }

    @Test func intensity_countsItToo() {
        var policy = ChildPolicy.reporting()
        policy.intensity = Intensity(restarts: 2, window: .seconds(60))
        var scene = Scene.ready([policy])
        _ = Self.delays(&scene, 2)
        _ = Self.wish(&scene)
        scene.ends(.a, .code(0))
        #expect(scene.phase(.a) == .parked && scene.view(.a).ground == .intensity)
    }

    @Test func crashesAndWishes_areCountedTogether_andNeitherForgetsTheOther() {
        var scene = Scene.ready([.reporting()])
        scene.ends(.a)
        scene.passToDeadline()
        scene.bringUp(.a)
        #expect(Self.delays(&scene, 1) == [.milliseconds(200)])
        scene.ends(.a)
        #expect(scene.view(.a).unstableRuns == 3)
    }

    @Test func ownersRestart_isNotCounted_andForgetsWhatWas() {
        var scene = Scene.ready([.reporting()])
        _ = Self.delays(&scene, 3)
        scene.command(.restart(.child(.a)))
        #expect(scene.ends(.a, .code(0)).suffix(2) == ["say starting a", "spawn a"])
        #expect(scene.view(.a).unstableRuns == 0)
        // Also where it crosses the run's own.
        scene.bringUp(.a)
        _ = Self.wish(&scene)
        scene.command(.restart(.child(.a)))
        #expect(scene.ends(.a, .code(0)).suffix(2) == ["say starting a", "spawn a"])
        #expect(scene.view(.a).unstableRuns == 0)
    }

    @Test(arguments: [RestartRule.never, .onFailure])
    func restartRule_doesNotRefuseIt(rule: RestartRule) {
        var scene = Scene.ready([.reporting(restart: rule)])
        #expect(Self.delays(&scene, 1) == [.milliseconds(100)])
        #expect(scene.phase(.a) == .ready)
    }

    @Test func dependentsAndSiblings_keepRunning() {
        let group = GroupPolicy(children: [.a, .b], strategy: .oneForAll)
        var scene = Scene.ready([.reporting(), .reporting(), .reporting(requires: [.a])], groups: [group])
        _ = Self.delays(&scene, 1)
        #expect(scene.phases() == "ready ready ready")
        #expect(scene.view(.b).endedRuns == 0 && scene.view(.c).endedRuns == 0)
    }

    @Test func scheduledChild_runsAtItsNextTime() {
        var scene = Scene.begun([ChildPolicy(schedule: .every(.seconds(3600)))])
        scene.pass(.zero)
        scene.spawned(.a)
        _ = Self.wish(&scene)
        scene.ends(.a, .code(0))
        #expect(scene.phase(.a) == .scheduled)
        #expect(scene.pass(.seconds(3_599)) == [])
        #expect(scene.pass(.seconds(1)) == ["say starting a", "spawn a"])
    }

    @Test func whatGoesDownAnyway_isNotHeard() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        scene.command(.stop(.child(.a)))
        #expect(Self.wish(&scene) == [])
        #expect(scene.phases() == "ready stopping")
        scene.ends(.b, .code(0))
        scene.ends(.a, .code(0))
        #expect(scene.phases() == "off waiting")
        // An old run has no wishes.
        #expect(scene.send(.restartItself(.a, RunID(rawValue: 1))) == [])
    }

    @Test func stopAfterIt_countsNothing() {
        var scene = Scene.ready([.reporting()])
        _ = Self.wish(&scene)
        scene.command(.stop(.child(.a)))
        #expect(scene.ends(.a, .code(0)).contains("answer 1 done"))
        #expect(scene.phase(.a) == .off && scene.view(.a).unstableRuns == 0)
    }
}
