import SupervisorCore
import Testing

@Suite("Gates", .timeLimit(.minutes(1)))
struct GateTests {
    /// Such as an address: nobody failed, so nothing is counted, and it starts the moment that the other one is gone.
    @Test func whatItNeedsIsWithARunThatEnds_waitsForThatEnd() {
        let strict = ChildPolicy(intensity: Intensity(restarts: 1, window: .seconds(60)))
        var scene = Scene.ready([ChildPolicy(enabled: false), strict])
        scene.command(.stop(.child(.b)))
        scene.command(.start(.child(.a)))
        let run = scene.run(.a)
        #expect(deeds(scene.send(.barred(.a, run, .prepare, errno: 11, by: .b))) == [])
        #expect(scene.phase(.a) == .waiting)
        #expect(scene.view(.a).hold == .barrier(.b))
        #expect(scene.view(.a).lastEnd?.cause == .dependency)
        #expect(scene.view(.a).unstableRuns == 0)
        scene.exited(.b, .code(0))
        #expect(scene.phase(.a) == .waiting)
        #expect(deeds(scene.send(.emptied(.b, scene.run(.b)))).first == "spawn a")
        #expect(scene.run(.a) != run)
    }

    @Test func runThatEndsCannotBeKilled_isWaitedForNoLonger() {
        var scene = Scene.ready([ChildPolicy(enabled: false), ChildPolicy()])
        scene.command(.stop(.child(.b)))
        scene.command(.start(.child(.a)))
        scene.send(.barred(.a, scene.run(.a), .prepare, errno: 11, by: .b))
        scene.passToDeadline()
        #expect(scene.phase(.b) == .stopping)
        #expect(deeds(scene.passToDeadline()).contains("spawn a"))
        #expect(scene.phase(.b) == .unkillable)
    }

    @Test func runThatStays_makesItAFailedStart() {
        var scene = Scene.ready([ChildPolicy(enabled: false), ChildPolicy()])
        scene.command(.start(.child(.a)))
        scene.send(.barred(.a, scene.run(.a), .prepare, errno: 11, by: .b))
        #expect(scene.phase(.a) == .delayed)
        #expect(scene.view(.a).unstableRuns == 1)
    }

    @Test func scheduledChild_whoseTimeHadCome_runsWhenThatRunIsOver() {
        var scene = Scene.begun([ChildPolicy(schedule: .every(.seconds(60))), ChildPolicy()])
        scene.spawned(.b)
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        scene.command(.stop(.child(.b)))
        scene.pass(.seconds(4))
        scene.command(.start(.child(.a)))
        scene.send(.barred(.a, scene.run(.a), .prepare, errno: 11, by: .b))
        #expect(scene.phase(.a) == .waiting)
        #expect(deeds(scene.ends(.b, .code(0))).contains("spawn a"))
    }

    @Test func childThatWaitsForAnEnd_isStoppedAtOnce() {
        var scene = Scene.ready([ChildPolicy(enabled: false), ChildPolicy()])
        scene.command(.stop(.child(.b)))
        scene.command(.start(.child(.a)))
        scene.send(.barred(.a, scene.run(.a), .prepare, errno: 11, by: .b))
        scene.command(.stop(.child(.a)))
        #expect(scene.phase(.a) == .off)
        #expect(deeds(scene.ends(.b, .code(0))).filter { $0.hasPrefix("spawn") } == [])
    }

    @Test func requiredChild_isReadyBeforeItsDependentStarts() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting()])
        #expect(scene.phases() == "waiting starting")
        #expect(scene.view(.a).waitsFor == .b)
        scene.spawned(.b)
        #expect(scene.phase(.a) == .waiting)
        #expect(deeds(scene.ready(.b)) == ["spawn a"])
    }

    @Test func doneChild_meetsTheGateOfWhatRequiresIt() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting(restart: .onFailure)])
        scene.spawned(.b)
        #expect(deeds(scene.ends(.b, .code(0))).contains("spawn a"))
    }

    @Test func after_waitsUntilReadyParkedDoneOrOff() {
        var scene = Scene.begun([.reporting(after: [.b]), .reporting()])
        #expect(scene.phases() == "waiting starting")
        scene.spawned(.b)
        #expect(deeds(scene.ends(.b, .code(78))).contains("spawn a"))
        #expect(scene.phase(.b) == .parked)

        var off = Scene([.reporting(after: [.b]), .reporting(enabled: false)])
        #expect(deeds(off.start()) == ["spawn a"])
    }

    @Test func after_doesNotWaitForAChildThatIsHeldByAParkedOne() {
        // a after b, b requires c, c is off: b will not come, so a starts.
        var scene = Scene([.reporting(after: [.b]), .reporting(requires: [.c]), .reporting(enabled: false)])
        #expect(deeds(scene.start()) == ["spawn a"])
        #expect(scene.view(.b).waitsFor == .c)
        #expect(scene.view(.b).cause == .dependency)
    }

    @Test func crashOfADependency_keepsRunningDependents() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        let run = scene.run(.b)
        scene.pass(.seconds(1))
        #expect(deeds(scene.ends(.a, .killed)) == ["KILL all a", "spawn a"])
        #expect(scene.phase(.b) == .ready)
        #expect(scene.run(.b) == run)
    }

    @Test func stoppedDependency_stopsDependentsFirst_andTheyComeBackWithIt() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a]), .reporting(requires: [.b])])
        #expect(scene.command(.stop(.child(.a))) == ["say stopping c dependency", "TERM main c"])
        #expect(
            scene.ends(.c, .code(0)).suffix(3) == [
                "say ended c dependency", "say stopping b dependency", "TERM main b",
            ])
        #expect(
            scene.ends(.b, .code(0)).suffix(3) == ["say ended b dependency", "say stopping a asked", "TERM main a"])
        #expect(scene.ends(.a, .code(0)).suffix(2) == ["say ended a asked", "answer 1 done"])
        #expect(scene.phases() == "off waiting waiting")
        #expect(scene.view(.c).cause == .dependency)
        #expect(scene.view(.c).unstableRuns == 0)
        #expect(deeds(scene.command(.start(.child(.a)))) == ["spawn a"])
        scene.bringAllUp()
        #expect(scene.phases() == "ready ready ready")
    }

    @Test func parkedDependency_stopsDependents_andTheyComeBackAfterItsSlowRetry() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        #expect(scene.ends(.a, .code(78)).suffix(2) == ["say stopping b dependency", "TERM main b"])
        scene.ends(.b, .code(0))
        #expect(scene.phases() == "parked waiting")
        #expect(deeds(scene.pass(.seconds(900))) == ["spawn a"])
        scene.bringAllUp()
        #expect(scene.phases() == "ready ready")
    }

    @Test func crashWhileItsDependencyIsAway_isNotCounted() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        scene.ends(.a)
        #expect(scene.phase(.a) == .delayed)
        scene.ends(.b)
        #expect(scene.view(.b).unstableRuns == 0)
        #expect(scene.view(.b).lastEnd?.cause == .crash)
        scene.pass(.milliseconds(100))
        #expect(scene.phases() == "starting waiting")
        scene.bringAllUp()
        #expect(scene.phases() == "ready ready")
    }

    @Test func restartOfADependency_waitsForDependentsAndBringsThemBack() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        #expect(deeds(scene.command(.restart(.child(.a)))) == ["TERM main b"])
        #expect(deeds(scene.ends(.b, .code(0))) == ["TERM all b", "TERM main a"])
        #expect(deeds(scene.ends(.a, .code(0))) == ["TERM all a", "spawn a"])
        scene.bringUp(.a)
        #expect(scene.phases() == "ready starting")
    }

    @Test func unkillableDependency_holdsUpNobody() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a]), .reporting()])
        scene.command(.stop(.child(.a)))
        scene.pass(.seconds(15))
        #expect(scene.phase(.b) == .unkillable)
        #expect(scene.phase(.a) == .stopping)
        #expect(scene.phase(.c) == .ready)
    }

    @Test func edgesToNowhereAndCycles_areLeftOut() {
        let odd = ChildID(rawValue: 99)
        var scene = Scene([
            .reporting(requires: [.b, odd, ChildID(rawValue: 0)]), .reporting(requires: [.a], after: [.b]),
        ])
        scene.start()
        scene.bringAllUp()
        #expect(scene.phases() == "ready ready")
        scene.send(.shutdown(level: 1))
        scene.endAllStopping()
        #expect(scene.phases() == "off off")
    }
}
