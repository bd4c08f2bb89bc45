import SupervisorCore
import Testing

@Suite("Recycling", .timeLimit(.minutes(1)))
struct RecyclingTests {
    private static let worker = ChildPolicy(ready: .reported, stop: StopRule(drain: .seconds(2)))

    /// Ready for just long enough.
    private static func stable(_ children: [ChildPolicy], groups: [GroupPolicy] = []) -> Scene {
        var scene = Scene.ready(children, groups: groups)
        scene.pass(.seconds(60))
        return scene
    }

    private static func recycle(_ scene: inout Scene) -> [String] {
        scene.send(.recycle(.a, scene.run(.a), within: .seconds(600)))
    }

    @Test func recycledRun_drainsStopsAndIsReplaced_withoutBeingCounted() {
        var scene = Self.stable([Self.worker])
        #expect(Self.recycle(&scene) == ["say stopping a recycled", "drain a"])
        #expect(scene.pass(.seconds(599)) == [])
        #expect(scene.send(.drained(.a, scene.run(.a))) == ["TERM main a"])
        #expect(scene.ends(.a, .code(1)).suffix(3) == ["say ended a recycled", "say starting a", "spawn a"])
        #expect(scene.view(.a).unstableRuns == 0)
        #expect(scene.view(.a).restarts == 0)
        #expect(scene.view(.a).endedRuns == 1)
    }

    @Test func busyRun_isStoppedWhenTheLimitHasPassed() {
        var scene = Self.stable([Self.worker])
        _ = Self.recycle(&scene)
        #expect(scene.pass(.seconds(600)) == ["TERM main a"])
    }

    @Test func recycleBeforeStableAfter_isIgnored() {
        var scene = Scene.ready([Self.worker])
        scene.pass(.milliseconds(59_999))
        #expect(Self.recycle(&scene) == [])
        scene.pass(.milliseconds(1))
        #expect(Self.recycle(&scene) == ["say stopping a recycled", "drain a"])
        #expect(Self.recycle(&scene) == [])
    }

    @Test func replacement_keepsTheFirstDelay() {
        var policy = Self.worker
        policy.delay.stableAfter = .zero
        policy.delay.first = .seconds(5)
        var scene = Scene.ready([policy])
        _ = Self.recycle(&scene)
        #expect(scene.ends(.a, .code(0)).last == "say delayed a recycled")
        #expect(scene.pass(.milliseconds(4_999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["say starting a", "spawn a"])
    }

    @Test func dependentsAndSiblings_keepRunning() {
        let group = GroupPolicy(children: [.a, .b], strategy: .oneForAll)
        var scene = Self.stable([Self.worker, .reporting(), .reporting(requires: [.a])], groups: [group])
        _ = Self.recycle(&scene)
        scene.ends(.a, .code(0))
        scene.bringUp(.a)
        #expect(scene.phases() == "ready ready ready")
        #expect(scene.view(.b).endedRuns == 0)
        #expect(scene.view(.c).endedRuns == 0)
    }

    @Test func stopMeanwhile_waitsNoLongerThanAnyStop() {
        var scene = Self.stable([Self.worker])
        _ = Self.recycle(&scene)
        #expect(scene.command(.stop(.child(.a))) == [])
        #expect(scene.pass(.milliseconds(1_999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["TERM main a"])
        #expect(scene.ends(.a, .code(0)).suffix(2) == ["say ended a recycled", "answer 1 done"])
        #expect(scene.phase(.a) == .off)
    }

    /// What it gets on request is not taken back when somebody looks at it again.
    @Test func stopMeanwhile_thatGotMoreTime_keepsItWhenANeighbourChanges() {
        var scene = Self.stable([Self.worker, .reporting(requires: [.a])])
        _ = Self.recycle(&scene)
        scene.command(.stop(.child(.a)))
        scene.send(.extendTimeout(.a, scene.run(.a), .seconds(10)))
        scene.ends(.b, .code(0))
        #expect(scene.pass(.milliseconds(9_999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["TERM main a"])
    }

    @Test func endOfTheTree_waitsNoLongerThanAnyStop() {
        var scene = Self.stable([Self.worker])
        _ = Self.recycle(&scene)
        scene.send(.shutdown(level: 1))
        #expect(scene.pass(.seconds(2)) == ["TERM main a"])
        #expect(scene.ends(.a, .code(0)).last == "finished")
    }

    @Test func childWithoutDrainWord_getsTheStopSignalAtOnce() {
        var scene = Self.stable([.reporting()])
        #expect(Self.recycle(&scene) == ["say stopping a recycled", "TERM main a"])
    }
}
