import SupervisorCore
import Testing

@Suite("The end of the tree", .timeLimit(.minutes(1)))
struct ShutdownTests {
    @Test func reverseOrderOfDependence_inParallelWhereItMay() {
        var scene = Scene.ready([
            .reporting(), .reporting(requires: [.a]), .reporting(after: [.a]), .reporting(),
        ])
        #expect(deeds(scene.send(.shutdown(level: 1))).sorted() == ["TERM main b", "TERM main c", "TERM main d"])
        scene.ends(.b, .code(0))
        scene.ends(.d, .code(0))
        #expect(deeds(scene.ends(.c, .code(0))) == ["TERM all c", "TERM main a"])
        #expect(scene.ends(.a, .code(0)).suffix(2) == ["say ended a asked", "finished"])
        #expect(scene.phases() == "off off off off")
    }

    @Test func orderedGroup_stopsInReverse() {
        let group = GroupPolicy(children: [.b, .a, .c], strategy: .restForOne)
        var scene = Scene.ready([.reporting(), .reporting(), .reporting()], groups: [group])
        #expect(deeds(scene.send(.shutdown(level: 1))) == ["TERM main c"])
        #expect(deeds(scene.ends(.c, .code(0))) == ["TERM all c", "TERM main a"])
        #expect(deeds(scene.ends(.a, .code(0))) == ["TERM all a", "TERM main b"])
    }

    @Test func emptyTree_isFinishedAtOnce() {
        var scene = Scene.begun([.reporting(enabled: false)])
        #expect(scene.send(.shutdown(level: 1)) == ["finished"])
        #expect(scene.send(.shutdown(level: 1)) == [])
        #expect(scene.send(.tick) == [])
        #expect(scene.command(.start(.child(.a))) == ["answer 1 overtaken"])
        #expect(scene.start() == [])
    }

    @Test func beforeTheStart_itIsFinishedAndNothingStarts() {
        var scene = Scene([.reporting()])
        #expect(scene.send(.shutdown(level: 1)) == ["finished"])
        #expect(scene.start() == [])
    }

    @Test func waitingDelayedAndParkedChildren_areOffAtOnce() {
        var scene = Scene.ready([.reporting(), .reporting(), .reporting(requires: [.a])])
        scene.ends(.a, .code(78))
        scene.ends(.b)
        scene.endAllStopping()
        #expect(scene.phases() == "parked delayed waiting")
        #expect(scene.send(.shutdown(level: 1)) == ["finished"])
        #expect(scene.phases() == "off off off")
        #expect(scene.supervisor.nextDeadline == nil)
    }

    @Test func commands_areOvertaken() {
        var scene = Scene.ready([.reporting(), .reporting()])
        scene.command(.restart(.child(.a)))
        #expect(scene.send(.shutdown(level: 1)).first == "answer 1 overtaken")
        #expect(scene.command(.start(.child(.a))) == ["answer 2 overtaken"])
    }

    @Test func secondLevel_cutsEveryTimeoutToASecond() {
        let stop = StopRule(drain: .seconds(60), timeout: .seconds(60), killGrace: .seconds(60))
        var scene = Scene.ready([ChildPolicy(stop: stop)])
        scene.send(.shutdown(level: 1))
        #expect(scene.pass(.seconds(10)) == [])
        #expect(scene.send(.shutdown(level: 2)) == [])
        #expect(scene.pass(.seconds(1)) == ["TERM main a"])
        #expect(scene.pass(.seconds(1)) == ["say killing a", "KILL all a"])
        #expect(
            scene.pass(.seconds(1)) == ["say unkillable a", "say ended a unkillable", "finished unclean"])
    }

    @Test func thirdLevel_killsWithoutOrder_theLogWriterStillLast() {
        var scene = Scene.ready(
            [.reporting(), .reporting(), .reporting(requires: [.b]), .reporting(requires: [.b])], logWriter: .a)
        scene.send(.shutdown(level: 1))
        #expect(scene.phases() == "ready ready stopping stopping")
        #expect(deeds(scene.send(.shutdown(level: 3))).sorted() == ["KILL all b", "KILL all c", "KILL all d"])
        scene.ends(.b, .killed)
        scene.ends(.c, .killed)
        #expect(deeds(scene.ends(.d, .killed)) == ["KILL all a"])
        #expect(scene.ends(.a, .killed).last == "finished")
    }

    @Test func lowerLevel_afterAHigherOne_changesNothing() {
        var scene = Scene.ready([.reporting()])
        scene.send(.shutdown(level: 0))
        #expect(scene.phases() == "ready")
        scene.send(.shutdown(level: 200))
        #expect(scene.phases() == "stopping")
        #expect(scene.send(.shutdown(level: 1)) == [])
    }

    @Test func spawningRun_isStoppedWhenItsAnswerComes() {
        var scene = Scene.begun([.reporting()])
        #expect(scene.send(.shutdown(level: 1)) == [])
        #expect(deeds(scene.spawned(.a)) == ["TERM main a"])
        #expect(scene.ends(.a, .killed).last == "finished")

        var failing = Scene.begun([.reporting()])
        failing.send(.shutdown(level: 1))
        #expect(failing.send(.spawnFailed(.a, failing.run(.a), .exec, errno: 2)).last == "finished")
    }

    @Test func unkillableRun_doesNotHoldUpTheEnd_andGetsItsRecord() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        scene.send(.shutdown(level: 1))
        scene.exited(.b, .killed)
        #expect(scene.pass(.seconds(15)).suffix(3) == ["say unkillable b", "say stopping a asked", "TERM main a"])
        #expect(
            scene.ends(.a, .code(0)).suffix(3) == ["say ended a asked", "say ended b unkillable", "finished unclean"])
        #expect(scene.view(.b).lastEnd?.exit == .killed)
        #expect(scene.emptied(.b) == [])
    }

    @Test func unkillableRun_getsItsRecordBeforeTheLogWriterDrains() {
        let writer = ChildPolicy(ready: .reported, stop: StopRule(drain: .seconds(60)))
        var scene = Scene.ready([writer, .reporting()], logWriter: .a)
        scene.send(.shutdown(level: 1))
        scene.exited(.b, .killed)
        #expect(
            scene.pass(.seconds(15)).suffix(4)
                == ["say unkillable b", "say ended b unkillable", "say stopping a asked", "drain a"])
        #expect(scene.emptied(.b) == [])
        #expect(scene.ends(.a, .code(0)).last == "finished unclean")
    }

    @Test func unkillableRunThatEmptiesInTime_endsClean() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        scene.send(.shutdown(level: 1))
        scene.pass(.seconds(15))
        scene.ends(.b, .killed)
        #expect(scene.ends(.a, .code(0)).last == "finished")
    }

    @Test func crashDuringShutdown_isNotReplaced() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        scene.send(.shutdown(level: 1))
        #expect(scene.ends(.a).suffix(1) == ["say ended a crash"])
        #expect(scene.phase(.a) == .off)
    }
}
