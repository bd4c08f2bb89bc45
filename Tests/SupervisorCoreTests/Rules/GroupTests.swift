import SupervisorCore
import Testing

@Suite("Groups and strategies", .timeLimit(.minutes(1)))
struct GroupTests {
    private func scene(
        _ strategy: Strategy, _ children: [ChildPolicy] = [.reporting(), .reporting(), .reporting()],
        intensity: Intensity? = nil
    ) -> Scene {
        let members = children.indices.map { ChildID(rawValue: UInt16($0 + 1)) }
        return Scene.ready(
            children, groups: [GroupPolicy(children: members, strategy: strategy, intensity: intensity)])
    }

    @Test func oneForOne_restartsOnlyTheOneThatEnded() {
        var scene = scene(.oneForOne)
        scene.pass(.seconds(1))
        #expect(deeds(scene.ends(.b)) == ["KILL all b", "spawn b"])
        #expect(scene.phases() == "ready starting ready")
    }

    @Test func oneForOne_hasNoOrder() {
        let group = GroupPolicy(children: [.a, .b])
        var scene = Scene([.reporting(), .reporting()], groups: [group])
        #expect(deeds(scene.start()) == ["spawn a", "spawn b"])
    }

    @Test(arguments: [Strategy.oneForAll, .restForOne])
    func orderedGroup_startsInItsOrder(strategy: Strategy) {
        let group = GroupPolicy(children: [.c, .a, .b], strategy: strategy)
        var scene = Scene([.reporting(), .reporting(), .reporting()], groups: [group])
        #expect(deeds(scene.start()) == ["spawn c"])
        #expect(scene.view(.b).waitsFor == .c)
        scene.spawned(.c)
        #expect(deeds(scene.ready(.c)) == ["spawn a"])
        scene.spawned(.a)
        #expect(deeds(scene.ready(.a)) == ["spawn b"])
    }

    @Test func oneForAll_stopsTheOthersInReverse_thenStartsAllInOrder() {
        var scene = scene(.oneForAll)
        scene.pass(.seconds(1))
        #expect(deeds(scene.ends(.b)) == ["KILL all b", "TERM main c"])
        #expect(scene.view(.b).waitsFor == .a)
        #expect(
            scene.ends(.c, .code(0)).suffix(3) == [
                "say ended c dependency", "say stopping a dependency", "TERM main a",
            ])
        #expect(deeds(scene.ends(.a, .code(0))) == ["TERM all a", "spawn a"])
        scene.spawned(.a)
        #expect(deeds(scene.ready(.a)) == ["spawn b"])
        scene.bringAllUp()
        #expect(scene.phases() == "ready ready ready")
        #expect([.a, .b, .c].map { scene.view($0).unstableRuns } == [0, 1, 0])
    }

    @Test func restForOne_restartsItAndThoseAfterIt() {
        var scene = scene(.restForOne)
        let first = scene.run(.a)
        scene.pass(.seconds(1))
        #expect(deeds(scene.ends(.b)) == ["KILL all b", "TERM main c"])
        #expect(deeds(scene.ends(.c, .code(0))) == ["TERM all c", "spawn b"])
        scene.spawned(.b)
        #expect(deeds(scene.ready(.b)) == ["spawn c"])
        #expect(scene.run(.a) == first)
    }

    @Test func restForOne_ofTheLast_restartsOnlyIt() {
        var scene = scene(.restForOne)
        scene.pass(.seconds(1))
        #expect(deeds(scene.ends(.c)) == ["KILL all c", "spawn c"])
    }

    @Test func groupRestart_waitsForTheDelayOfTheOneThatFailed() {
        var scene = scene(.oneForAll)
        #expect(scene.ends(.c).suffix(3) == ["say delayed c crash", "say stopping b dependency", "TERM main b"])
        scene.ends(.b, .code(0))
        #expect(deeds(scene.ends(.a, .code(0))) == ["TERM all a", "spawn a"])
        scene.bringUp(.a)
        scene.bringUp(.b)
        #expect(scene.phase(.c) == .delayed)
        #expect(deeds(scene.pass(.milliseconds(100))) == ["spawn c"])
    }

    @Test func oneForAll_neverStartsAChildThatIsOffByCommand() {
        var scene = scene(.oneForAll)
        scene.command(.stop(.child(.b)))
        #expect(scene.phases() == "ready stopping ready")
        scene.ends(.b, .code(0))
        scene.pass(.seconds(1))
        scene.ends(.c)
        scene.endAllStopping()
        scene.bringAllUp()
        #expect(scene.phases() == "ready off ready")
    }

    @Test func groupRestart_runsATransientOneShotAgain_butNotATemporaryOne() {
        var scene = scene(.oneForAll, [.reporting(restart: .onFailure), .reporting(restart: .never), .reporting()])
        scene.ends(.a, .code(0))
        scene.ends(.b, .code(0))
        #expect(scene.phases() == "done done ready")
        scene.pass(.seconds(1))
        #expect(deeds(scene.ends(.c)) == ["KILL all c", "spawn a"])
        scene.bringAllUp()
        #expect(scene.phases() == "ready done ready")
    }

    @Test func sweptSiblings_doNotStopWhatRequiresThemOutside() {
        let group = GroupPolicy(children: [.a, .b], strategy: .oneForAll)
        var scene = Scene.ready([.reporting(), .reporting(), .reporting(requires: [.a])], groups: [group])
        scene.pass(.seconds(1))
        #expect(deeds(scene.ends(.b)) == ["KILL all b", "TERM main a"])
        scene.endAllStopping()
        #expect(scene.phase(.c) == .ready)
        #expect(scene.view(.c).endedRuns == 0)
    }

    @Test func unkillableSibling_doesNotHoldUpTheRestart() {
        var scene = scene(.oneForAll)
        scene.pass(.seconds(1))
        scene.ends(.a)
        scene.pass(.seconds(15))
        #expect(scene.phase(.c) == .unkillable)
        #expect(deeds(scene.ends(.b, .code(0))) == ["TERM all b", "spawn a"])
    }

    @Test func networkEnd_doesNotRestartSiblings() {
        let networked = ChildPolicy(ready: .reported, exits: ExitRule(network: [69]))
        var scene = scene(.oneForAll, [.reporting(), networked])
        scene.ends(.b, .code(69))
        #expect(scene.phases() == "ready delayed")
    }

    @Test func uncriticalChild_parksAlone() {
        var scene = scene(.oneForOne)
        scene.ends(.a, .code(78))
        #expect(scene.phases() == "parked ready ready")
        #expect(scene.supervisor.parked(.first) == nil)
    }

    @Test func criticalChild_parksItsGroupAsOne_andNothingElse() {
        let group = GroupPolicy(children: [.a, .b], slowRetry: .seconds(300))
        var scene = Scene.ready(
            [.reporting(critical: true), .reporting(), .reporting(), .reporting(requires: [.b])], groups: [group])
        #expect(
            scene.ends(.a, .code(78)).suffix(4)
                == ["say parked a config", "say group 0 parked by a", "say stopping d dependency", "TERM main d"])
        scene.endAllStopping()
        #expect(scene.phases() == "parked parked ready waiting")
        #expect(scene.view(.b).cause == .dependency)
        #expect(scene.view(.b).waitsFor == .a)
        let retry = scene.now + .seconds(300)
        #expect(scene.supervisor.parked(.first) == .some(retry))
        #expect(scene.view(.a).nextTry == retry && scene.view(.b).nextTry == retry)
        #expect(deeds(scene.pass(.seconds(300))) == ["spawn a", "spawn b"])
        #expect(scene.supervisor.parked(.first) == nil)
        scene.bringAllUp()
        #expect(scene.phases() == "ready ready ready ready")
    }

    @Test func commandOnAMember_unparksTheGroup() {
        var scene = scene(.oneForOne, [.reporting(critical: true), .reporting()])
        scene.ends(.a, .code(78))
        scene.endAllStopping()
        #expect(deeds(scene.command(.start(.child(.b)))).sorted() == ["spawn a", "spawn b"])
        #expect(scene.supervisor.parked(.first) == nil)
        // The start timeout of both, and no retry before.
        #expect(scene.supervisor.nextDeadline == scene.now + .seconds(60))
    }

    @Test func stoppingTheCulprit_letsTheOthersRun() {
        var scene = scene(.oneForOne, [.reporting(critical: true), .reporting()])
        scene.ends(.a, .code(78))
        scene.endAllStopping()
        #expect(deeds(scene.command(.stop(.child(.a)))) == ["answer 1 done", "spawn b"])
        #expect(scene.phases() == "off starting")
    }

    @Test func resetOfAnyMember_unparksTheGroup_alsoOneThatIsOffByIt() {
        let group = GroupPolicy(children: [.a, .b, .c])
        let children: [ChildPolicy] = [
            .reporting(critical: true, enabled: false), .reporting(), .reporting(enabled: false),
        ]
        for member in [ChildID.a, .c] {
            var scene = Scene.begun(children, groups: [group])
            scene.command(.start(.child(.a)))
            scene.spawned(.a)
            scene.ends(.a, .code(78))
            #expect(scene.supervisor.parked(.first) != nil)
            #expect(scene.command(.reset(.child(member))).contains("answer 2 done"))
            #expect(scene.supervisor.parked(.first) == nil)
        }
    }

    @Test func anotherIntensity_byReload_countsAnew() {
        func tree(_ restarts: UInt16) -> Tree {
            let intensity = Intensity(restarts: restarts, window: .seconds(100))
            return Tree(children: [.reporting()], groups: [GroupPolicy(children: [.a], intensity: intensity)])
        }
        var scene = Scene([.reporting()], groups: tree(3).groups)
        scene.start()
        scene.bringAllUp()
        for _ in 0..<3 {
            scene.pass(.seconds(30))
            scene.ends(.a)
            scene.bringAllUp()
        }
        scene.reload(TreeChange(tree: tree(2), changedGroups: [.first]))
        // As a child's counts: what was before the new bound does not count against it.
        for _ in 0..<2 {
            scene.pass(.seconds(30))
            scene.ends(.a)
            #expect(scene.supervisor.parked(.first) == nil)
            scene.bringAllUp()
        }
        scene.pass(.seconds(30))
        scene.ends(.a)
        #expect(scene.supervisor.parked(.first) != nil)
    }

    @Test func groupIntensity_parksTheGroup() {
        var scene = scene(.oneForOne, intensity: Intensity(restarts: 2, window: .seconds(60)))
        for child in [ChildID.a, .b] {
            scene.pass(.seconds(5))
            scene.ends(child)
            scene.bringAllUp()
        }
        scene.pass(.seconds(5))
        #expect(scene.ends(.c).contains("say group 0 parked by c"))
        scene.endAllStopping()
        #expect(scene.phases() == "parked parked parked")
        scene.pass(.seconds(900))
        #expect(scene.phases() == "starting starting starting")
    }

    @Test func groupWithoutSlowRetry_waitsForACommand() {
        let group = GroupPolicy(children: [.a], slowRetry: nil)
        var scene = Scene.ready([.reporting(critical: true)], groups: [group])
        scene.ends(.a, .code(78))
        #expect(scene.supervisor.parked(.first) == .some(nil))
        #expect(scene.supervisor.nextDeadline == nil)
        #expect(deeds(scene.command(.reset(.group(.first)))) == ["spawn a"])
    }

    @Test func membership_mayBeSaidByTheChildAlone() {
        let member = ChildPolicy(group: .first, critical: true)
        var scene = Scene.ready([member, member], groups: [GroupPolicy(children: [])])
        scene.ends(.a, .code(78))
        #expect(scene.supervisor.parked(.first) != nil)
        #expect(scene.phase(.b) == .stopping)
    }
}
