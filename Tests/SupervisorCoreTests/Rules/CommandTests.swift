import SupervisorCore
import Testing

@Suite("Commands", .timeLimit(.minutes(1)))
struct CommandTests {
    /// Found by the simulation: what requires a child that is done started in the very turn that took it away.
    @Test func resetThatTurnsADoneChildOff_startsNothingOnIt() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting(restart: .never, enabled: false)])
        scene.command(.start(.child(.b)))
        scene.command(.stop(.child(.a)))
        scene.spawned(.b)
        scene.ends(.b, .code(0))
        let words = scene.command(.reset(.all))
        #expect(!words.contains("spawn a"), "\(words)")
        #expect(scene.phases() == "waiting off")
    }

    @Test func resetThatTurnsAParkedChildOff_doesNotCallItFailed() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting(enabled: false)])
        scene.command(.start(.child(.b)))
        scene.spawned(.b)
        scene.ends(.b, .code(78))
        #expect(scene.phase(.b) == .parked)
        #expect(scene.command(.reset(.all)) == ["answer 2 overtaken"])
        #expect(scene.phases() == "waiting off")
    }

    @Test func start_isAnsweredWhenReady() {
        var scene = Scene.begun([.reporting(enabled: false)])
        #expect(scene.phase(.a) == .off)
        #expect(scene.view(.a).cause == nil)
        #expect(deeds(scene.command(.start(.child(.a)))) == ["spawn a"])
        scene.spawned(.a)
        #expect(scene.ready(.a) == ["say ready a", "answer 1 done"])
        #expect(scene.command(.start(.child(.a))) == ["answer 2 unchanged"])
    }

    @Test func start_alsoStartsWhatItRequires_andForgetsParking() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting(requires: [.c]), .reporting()])
        scene.command(.stop(.child(.b)))
        scene.bringUp(.c)
        scene.ends(.c, .code(78))
        #expect(scene.phases() == "waiting off parked")
        #expect(deeds(scene.command(.start(.child(.a)))) == ["spawn c"])
        scene.bringUp(.c)
        scene.bringUp(.b)
        scene.spawned(.a)
        #expect(scene.ready(.a).last == "answer 2 done")
    }

    @Test func start_failsWhenItParks() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting()])
        scene.command(.start(.child(.a)))
        scene.spawned(.b)
        #expect(scene.ends(.b, .code(78)).last == "answer 1 failed b config")
    }

    @Test func start_failsWhenWhatItRequiresParksLater() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting()])
        scene.command(.start(.child(.a)))
        scene.bringUp(.b)
        scene.spawned(.a)
        scene.ends(.b, .code(78))
        #expect(scene.phases() == "stopping parked")
        #expect(scene.ends(.a, .code(0)).last == "answer 1 failed b config")
    }

    @Test func start_endsADelay() {
        var scene = Scene.ready([.reporting()])
        scene.ends(.a)
        #expect(scene.phase(.a) == .delayed)
        #expect(deeds(scene.command(.start(.child(.a)))) == ["spawn a"])
    }

    @Test func start_runsADoneChildAgain_onlyByName() {
        var scene = Scene.ready([.reporting(restart: .onFailure)])
        scene.ends(.a, .code(0))
        #expect(scene.command(.start(.all)) == ["answer 1 unchanged"])
        #expect(deeds(scene.command(.start(.child(.a)))) == ["spawn a"])
        scene.spawned(.a)
        #expect(scene.ends(.a, .code(0)).last == "answer 2 done")
    }

    @Test func startAll_leavesDisabledChildrenOff() {
        var scene = Scene.ready([.reporting(), .reporting(enabled: false)])
        scene.command(.stop(.all))
        scene.endAllStopping()
        #expect(deeds(scene.command(.start(.all))) == ["spawn a"])
        #expect(scene.phase(.b) == .off)
    }

    @Test func stop_isAnsweredWhenEmpty_andStaysOff() {
        var scene = Scene.ready([.reporting()])
        scene.command(.stop(.child(.a)))
        scene.exited(.a, .code(0))
        #expect(scene.phase(.a) == .stopping)
        #expect(scene.emptied(.a).last == "answer 1 done")
        #expect(scene.view(.a).cause == .asked)
        #expect(scene.pass(.seconds(3_600)) == [])
        #expect(scene.command(.stop(.child(.a))) == ["answer 2 unchanged"])
    }

    @Test func stop_ofAParkedOrDelayedChild_isDoneAtOnce() {
        var scene = Scene.ready([.reporting(), .reporting()])
        scene.ends(.a)
        scene.ends(.b, .code(78))
        #expect(scene.phases() == "delayed parked")
        #expect(scene.command(.stop(.all)) == ["answer 1 done"])
        #expect(scene.phases() == "off off")
        #expect(scene.supervisor.nextDeadline == nil)
    }

    @Test func stop_failsWhenUnkillable() {
        var scene = Scene.ready([.reporting()])
        scene.command(.stop(.child(.a)))
        #expect(scene.pass(.seconds(15)).last == "answer 1 failed a unkillable")
        #expect(scene.emptied(.a) == ["say ended a asked"])
        #expect(scene.phase(.a) == .off)
    }

    @Test func stop_waitsForWhatRequiresIt() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        scene.ends(.a)
        #expect(scene.phase(.a) == .delayed)
        #expect(deeds(scene.command(.stop(.child(.a)))) == ["TERM main b"])
        #expect(scene.ends(.b, .code(0)).last == "answer 1 done")
    }

    @Test func restart_stopsThenStarts() {
        var scene = Scene.ready([.reporting()])
        #expect(deeds(scene.command(.restart(.child(.a)))) == ["TERM main a"])
        #expect(deeds(scene.ends(.a, .code(0))) == ["TERM all a", "spawn a"])
        scene.spawned(.a)
        #expect(scene.ready(.a).last == "answer 1 done")
        #expect(scene.view(.a).lastEnd?.cause == .asked)
        #expect(scene.view(.a).restarts == 0)
    }

    @Test func restart_ofAChildThatIsOff_startsIt_butNotByItsGroup() {
        let group = GroupPolicy(children: [.a, .b])
        var scene = Scene.ready([.reporting(enabled: false), .reporting()], groups: [group])
        #expect(deeds(scene.command(.restart(.group(.first)))) == ["TERM main b"])
        scene.endAllStopping()
        #expect(scene.phase(.a) == .off)
        #expect(deeds(scene.command(.restart(.child(.a)))) == ["spawn a"])
    }

    @Test func reset_forgetsCountsAndChoices() {
        var scene = Scene.ready([.reporting(), .reporting(enabled: false)])
        scene.ends(.a)
        scene.command(.start(.child(.b)))
        scene.bringUp(.b)
        #expect(scene.phases() == "delayed ready")
        #expect(deeds(scene.command(.reset(.all))) == ["spawn a", "TERM main b"])
        #expect(scene.view(.a).unstableRuns == 0)
        scene.ends(.b, .code(0))
        scene.spawned(.a)
        #expect(scene.ready(.a).last == "answer 2 done")
        #expect(scene.phases() == "ready off")
        #expect(scene.command(.reset(.all)) == ["answer 3 unchanged"])
    }

    @Test func laterCommand_overtakesAnEarlierOne() {
        var scene = Scene.begun([.reporting()])
        scene.command(.start(.child(.a)))
        #expect(scene.command(.stop(.child(.a))) == ["answer 1 overtaken"])
        #expect(scene.command(.start(.child(.a))) == ["answer 2 overtaken"])
        scene.spawned(.a)
        #expect(scene.ready(.a).last == "answer 3 done")
    }

    @Test func startDuringAStop_startsAfterIt() {
        var scene = Scene.ready([.reporting()])
        scene.command(.stop(.child(.a)))
        #expect(scene.command(.start(.child(.a))) == ["answer 1 overtaken"])
        #expect(deeds(scene.ends(.a, .code(0))) == ["TERM all a", "spawn a"])
    }

    @Test func dependencySwitchedOffMeanwhile_overtakes() {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting()])
        scene.bringUp(.b)
        scene.command(.start(.child(.a)))
        scene.command(.stop(.child(.b)))
        scene.spawned(.a)
        #expect(scene.ends(.a, .code(0)).contains("say ended a dependency"))
        scene.endAllStopping()
        #expect(scene.phases() == "waiting off")
    }

    @Test func unknownTargets_areAnswered() {
        var scene = Scene.ready([.reporting()])
        #expect(scene.command(.stop(.child(.d))) == ["answer 1 unchanged"])
        #expect(scene.command(.restart(.group(GroupID(rawValue: .max)))) == ["answer 2 unchanged"])
        #expect(scene.command(.start(.child(ChildID(rawValue: 0)))) == ["answer 3 unchanged"])
    }

    @Test func groupAsATarget_meansItsMembers() {
        let group = GroupPolicy(children: [.a, .b])
        var scene = Scene.ready([.reporting(), .reporting(), .reporting()], groups: [group])
        scene.command(.stop(.group(.first)))
        scene.ends(.a, .code(0))
        #expect(scene.ends(.b, .code(0)).last == "answer 1 done")
        #expect(scene.phases() == "off off ready")
    }

    @Test(arguments: [Strategy.oneForOne, .restForOne])
    func restartOfAGroup_stopsAllInReverse_beforeAnythingStarts(strategy: Strategy) {
        let group = GroupPolicy(children: [.a, .b], strategy: strategy)
        // In a one-for-one group the order is said by `after`.
        let last = ChildPolicy.reporting(after: strategy == .oneForOne ? [.a] : [])
        var scene = Scene.ready([.reporting(), last], groups: [group])
        #expect(deeds(scene.command(.restart(.group(.first)))) == ["TERM main b"])
        #expect(deeds(scene.ends(.b, .code(0))) == ["TERM all b", "TERM main a"])
        #expect(deeds(scene.ends(.a, .code(0))) == ["TERM all a", "spawn a"])
        scene.spawned(.a)
        #expect(deeds(scene.ready(.a)) == ["spawn b"])
        scene.spawned(.b)
        #expect(scene.ready(.b).last == "answer 1 done")
    }
}
