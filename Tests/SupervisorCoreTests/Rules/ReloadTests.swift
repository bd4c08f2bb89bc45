import Testing

@testable import SupervisorCore

@Suite("Reload", .timeLimit(.minutes(1)))
struct ReloadTests {
    private func tree(
        _ children: [ChildPolicy], _ groups: [GroupPolicy] = [], choices: [ChildID: Choice] = [:]
    ) -> Tree { Tree(children: children, groups: groups, choices: choices) }

    @Test func sameTree_isUnchanged_andKeepsRunsAndCounts() {
        let children: [ChildPolicy] = [.reporting(), .reporting(requires: [.a]), .reporting()]
        var scene = Scene.ready(children)
        scene.ends(.c)
        let before = [ChildID.a, .b, .c].map { scene.view($0) }
        let deadline = scene.supervisor.nextDeadline
        #expect(scene.reload(TreeChange(tree: tree(children))) == ["answer 1 unchanged"])
        #expect([ChildID.a, .b, .c].map { scene.view($0) } == before)
        #expect(scene.supervisor.nextDeadline == deadline)
    }

    @Test func addedChild_startsWhenItsGatesHold_andIsWaitedFor() {
        var scene = Scene.ready([.reporting()])
        let new = tree([.reporting(), .reporting(requires: [.c]), .reporting(), .reporting(enabled: false)])
        #expect(deeds(scene.reload(TreeChange(tree: new))) == ["spawn c"])
        scene.bringUp(.c)
        scene.spawned(.b)
        #expect(scene.ready(.b).last == "answer 1 done")
        #expect(scene.phases() == "ready ready ready off")
    }

    @Test func addedChild_thatWaitsForWhatIsOff_isNotWaitedFor() {
        var scene = Scene.ready([.reporting()])
        let new = tree([.reporting(), .reporting(requires: [.c]), .reporting(enabled: false)])
        #expect(scene.reload(TreeChange(tree: new)) == ["answer 1 done"])
        #expect(scene.phases() == "ready waiting off")
    }

    @Test func restartedChild_stopsByItsOldRule_thenStarts_andOthersKeepRunning() {
        var old = ChildPolicy.reporting()
        old.stop = StopRule(signal: Signal(rawValue: 3))
        var scene = Scene.ready([old, .reporting()])
        let new = tree([.reporting(), .reporting()])
        #expect(deeds(scene.reload(TreeChange(tree: new, restarted: [.a]))) == ["signal 3 main a"])
        #expect(deeds(scene.ends(.a, .code(0))) == ["signal 3 all a", "spawn a"])
        scene.spawned(.a)
        #expect(scene.ready(.a).last == "answer 1 done")
        #expect(deeds(scene.command(.stop(.child(.a)))) == ["TERM main a"])
        #expect(scene.phase(.b) == .ready)
    }

    @Test func restartedChild_takesWhatRequiresItDownFirst() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a])])
        let new = tree([.reporting(), .reporting(requires: [.a])])
        #expect(deeds(scene.reload(TreeChange(tree: new, restarted: [.a]))) == ["TERM main b"])
        #expect(deeds(scene.ends(.b, .code(0))) == ["TERM all b", "TERM main a"])
        scene.ends(.a, .code(0))
        scene.bringAllUp()
        #expect(scene.phases() == "ready ready")
        #expect(scene.view(.b).lastEnd?.cause == .dependency)
    }

    @Test func restartedChild_thatParks_failsTheReload() {
        var scene = Scene.ready([.reporting()])
        scene.reload(TreeChange(tree: tree([.reporting()]), restarted: [.a]))
        scene.ends(.a, .code(0))
        #expect(scene.send(.spawnFailed(.a, scene.run(.a), .exec, errno: 2)).last == "answer 1 failed a config")
    }

    @Test func restartedChild_inEachState() {
        let both = [ChildPolicy.reporting(), .reporting()]
        let change = TreeChange(tree: tree(both), restarted: [.a])
        // Parked and delayed: tried at once with the new words, and nothing is held against it.
        var scene = Scene.ready(both)
        scene.ends(.a, .code(78))
        #expect(deeds(scene.reload(change)) == ["spawn a"])
        scene = Scene.ready(both)
        scene.ends(.a)
        #expect(deeds(scene.reload(change)) == ["spawn a"])
        #expect(scene.view(.a).unstableRuns == 0)
        // Stopping already: its next run has the new words, and it is waited for.
        scene = Scene.ready(both)
        scene.command(.restart(.child(.a)))
        #expect(deeds(scene.reload(change)) == [])
        scene.ends(.a, .code(0))
        scene.spawned(.a)
        #expect(scene.ready(.a).suffix(2) == ["answer 1 done", "answer 2 done"])
        // Spawning: it is stopped as soon as there is a process, by the rule of that process.
        scene = Scene.begun(both)
        #expect(deeds(scene.reload(change)) == [])
        #expect(deeds(scene.spawned(.a)) == ["TERM main a"])
        // Off by command: stays off.
        scene = Scene.ready(both)
        scene.command(.stop(.child(.a)))
        scene.endAllStopping()
        #expect(scene.reload(change) == ["answer 2 done"])
        #expect(scene.phase(.a) == .off)
        // Unkillable: never replaced while it is there; with the new words when it is gone after all.
        scene = Scene.ready(both)
        scene.command(.restart(.child(.a)))
        scene.pass(.seconds(15))
        #expect(scene.phase(.a) == .unkillable)
        #expect(scene.reload(change) == ["answer 2 failed a unkillable"])
        scene.exited(.a, .killed)
        #expect(deeds(scene.emptied(.a)) == ["spawn a"])
    }

    @Test func doneChild_staysDone() {
        let children = [ChildPolicy.reporting(restart: .onFailure)]
        var scene = Scene.ready(children)
        scene.ends(.a, .code(0))
        #expect(scene.reload(TreeChange(tree: tree(children), restarted: [.a])) == ["answer 1 done"])
        #expect(scene.phase(.a) == .done)
    }

    @Test func removedChildren_stopInTheirOldOrder_andStayAway() {
        var scene = Scene.ready([.reporting(), .reporting(requires: [.a]), .reporting()])
        let new = tree([.reporting(enabled: false), .reporting(requires: [.a], enabled: false), .reporting()])
        let change = TreeChange(tree: new, removed: [.a, .b])
        #expect(deeds(scene.reload(change)) == ["TERM main b"])
        #expect(deeds(scene.ends(.b, .code(0))) == ["TERM all b", "TERM main a"])
        #expect(scene.ends(.a, .code(0)).last == "answer 1 done")
        #expect(scene.phases() == "off off ready")
        scene.command(.start(.all))
        #expect(scene.phases() == "off off ready")
    }

    @Test func removedChild_inEachState() {
        let gone = TreeChange(tree: tree([.reporting(enabled: false)]), removed: [.a])
        var scene = Scene.ready([.reporting()])
        scene.ends(.a)
        #expect(scene.reload(gone) == ["answer 1 done"])
        #expect(scene.supervisor.nextDeadline == nil)
        scene = Scene.ready([.reporting()])
        scene.ends(.a, .code(78))
        #expect(scene.reload(gone) == ["answer 1 done"])
        #expect(scene.phase(.a) == .off)
        // A restart by command was under way: it stops all the same, and the command is overtaken.
        scene = Scene.ready([.reporting()])
        scene.command(.restart(.child(.a)))
        #expect(scene.reload(gone) == ["answer 1 overtaken"])
        #expect(scene.ends(.a, .code(0)).last == "answer 2 done")
        // Started by command although the file had it off.
        scene = Scene.ready([.reporting(enabled: false)])
        scene.command(.start(.child(.a)))
        scene.bringUp(.a)
        #expect(deeds(scene.reload(gone)) == ["TERM main a"])
        // Not to be ended by anybody: said, not waited for.
        scene = Scene.ready([.reporting()])
        scene.command(.stop(.child(.a)))
        scene.pass(.seconds(15))
        #expect(scene.reload(gone) == ["answer 2 done"])
        #expect(scene.phase(.a) == .unkillable)
    }

    @Test func removedChild_thatComesBack_runsAgain_underItsNumber() {
        var scene = Scene.ready([.reporting()])
        scene.reload(TreeChange(tree: tree([.reporting(enabled: false)]), removed: [.a]))
        #expect(scene.reload(TreeChange(tree: tree([.reporting()]), restarted: [.a])) == ["answer 1 overtaken"])
        #expect(deeds(scene.ends(.a, .code(0))) == ["TERM all a", "spawn a"])
        scene.spawned(.a)
        #expect(scene.ready(.a).last == "answer 2 done")
    }

    @Test func removedChild_thatComesBack_isCountedAnew() {
        var scene = Scene.ready([.reporting()])
        scene.pass(.seconds(1))
        scene.ends(.a)
        scene.bringUp(.a)
        #expect(scene.view(.a).restarts == 1)
        scene.reload(TreeChange(tree: tree([.reporting(enabled: false)]), removed: [.a]))
        scene.ends(.a, .code(0))
        scene.reload(TreeChange(tree: tree([.reporting()]), returned: [.a]))
        scene.bringUp(.a)
        #expect(scene.view(.a).restarts == 0 && scene.view(.a).endedRuns == 0)
    }

    @Test func childThatShowsNothingButItsExec_isUpWhenItHasStayedForAMoment() {
        var scene = Scene.ready([ChildPolicy()])
        scene.pass(.seconds(70))
        scene.reload(TreeChange(tree: tree([ChildPolicy()]), restarted: [.a]))
        scene.ends(.a, .code(0))
        #expect(scene.spawned(.a) == ["say ready a"])
        #expect(scene.pass(.milliseconds(999)) == [])
        #expect(scene.pass(.milliseconds(1)) == ["answer 1 done"])
        #expect(scene.supervisor.nextDeadline == nil)
    }

    @Test func childThatDoesNotStay_failsTheReload_beforeItsNextTry() {
        for (exit, cause) in [(Exit.code(1), "crash"), (.code(0), "config"), (.killed, "crash")] {
            var scene = Scene.ready([ChildPolicy()])
            scene.pass(.seconds(70))
            scene.reload(TreeChange(tree: tree([ChildPolicy(), ChildPolicy()]), restarted: [.a]))
            scene.ends(.a, .code(0))
            scene.spawned(.a)
            scene.spawned(.b)
            scene.pass(.milliseconds(300))
            #expect(scene.ends(.a, exit).contains("answer 1 failed a \(cause)"))
            #expect(scene.pass(.seconds(3)).allSatisfy { !$0.hasPrefix("answer") })
        }
    }

    @Test func tryThatComesToNoProgram_isWaitedOver() {
        var scene = Scene.ready([ChildPolicy()])
        scene.reload(TreeChange(tree: tree([ChildPolicy()]), restarted: [.a]))
        scene.ends(.a, .code(0))
        let said = scene.send(.spawnFailed(.a, scene.run(.a), .prepare, errno: 11))
        #expect(said.allSatisfy { !$0.hasPrefix("answer") })
        scene.pass(.seconds(40))
        scene.spawned(.a)
        #expect(scene.pass(.seconds(1)) == ["answer 1 done"])
    }

    @Test func tryWhoseExecTakesLongerThanItsStartTimeout_isWaitedOver() {
        var policy = ChildPolicy()
        policy.startTimeout = .seconds(3)
        var scene = Scene.ready([policy])
        scene.reload(TreeChange(tree: tree([policy]), restarted: [.a]))
        scene.ends(.a, .code(0))
        scene.pass(.seconds(3))
        #expect(scene.phase(.a) == .stopping)
        let said = scene.ends(.a, .signal(.terminate, coreDumped: false, oom: false))
        #expect(scene.view(.a).lastEnd?.cause == .probe && said.allSatisfy { !$0.hasPrefix("answer") }, "\(said)")
        scene.pass(.seconds(1))
        scene.spawned(.a)
        #expect(scene.pass(.seconds(1)) == ["answer 1 done"])
    }

    @Test func oneShotThatSucceedsAtOnce_isUpByThat_andACommandWaitsForTheExecOnly() {
        let policy = ChildPolicy(restart: .onFailure)
        var scene = Scene.ready([policy])
        scene.reload(TreeChange(tree: tree([policy]), restarted: [.a]))
        scene.ends(.a, .code(0))
        scene.spawned(.a)
        scene.command(.start(.child(.a)))
        scene.pass(.milliseconds(1))
        #expect(scene.ends(.a, .code(0)).contains("answer 1 done"))
        var commanded = Scene.ready([ChildPolicy()])
        commanded.command(.restart(.child(.a)))
        commanded.ends(.a, .code(0))
        #expect(commanded.spawned(.a) == ["say ready a", "answer 1 done"])
    }

    @Test func changedPolicy_countsForTheLivingRun() {
        var scene = Scene.ready([.reporting()])
        let run = scene.run(.a)
        var changed = ChildPolicy.reporting()
        changed.delay.first = .seconds(3)
        changed.stop.timeout = .seconds(1)
        changed.liveness = LivenessRule(interval: .seconds(5), misses: 1)
        #expect(scene.reload(TreeChange(tree: tree([changed]), changed: [.a])) == ["answer 1 done"])
        #expect(scene.run(.a) == run)
        #expect(scene.pass(.seconds(5)) == ["probe a"])
        scene.command(.stop(.child(.a)))
        #expect(scene.pass(.seconds(1)) == ["say killing a", "KILL all a"])
    }

    @Test func changedStartTimeout_countsForARunThatStarts() {
        var scene = Scene.begun([.reporting()])
        scene.spawned(.a)
        var changed = ChildPolicy.reporting()
        changed.startTimeout = .seconds(2)
        scene.reload(TreeChange(tree: tree([changed]), changed: [.a]))
        #expect(scene.pass(.seconds(2)) == ["say stopping a probe", "TERM main a"])
    }

    @Test func newRequirement_thatIsNotThereYet_doesNotStopWhoeverServes() {
        var scene = Scene.ready([.reporting()])
        let new = tree([.reporting(requires: [.b]), .reporting()])
        #expect(deeds(scene.reload(TreeChange(tree: new, changed: [.a]))) == ["spawn b"])
        #expect(scene.phase(.a) == .ready)
    }

    @Test func enabled_decides_unlessAnOwnerChose() {
        let off = ChildPolicy.reporting(enabled: false)
        var scene = Scene.ready([.reporting(), off])
        #expect(
            deeds(scene.reload(TreeChange(tree: tree([off, .reporting()]), changed: [.a, .b]))) == [
                "TERM main a", "spawn b",
            ])
        scene.endAllStopping()
        scene.bringUp(.b)
        // An owner's choice wins over the file, at a reload and at a start: neither the file nor its group brings it up.
        let chosen = tree([off, .reporting()], choices: [.a: .on, .b: .off])
        #expect(deeds(scene.reload(TreeChange(tree: chosen))) == ["spawn a", "TERM main b"])
        #expect(Scene.begun([off, .reporting()], choices: [.a: .on, .b: .off]).phases() == "starting off")
    }

    @Test func commandsMakeChoices_thatDifferFromTheFile() {
        let scene = Scene.ready([.reporting(requires: [.b]), .reporting(enabled: false), .reporting()])
        func words(_ command: Command) -> String {
            scene.supervisor.choices(madeBy: command)
                .map { "\($0.child.letter):\($0.choice.map { "\($0)" } ?? "file")" }.joined(separator: " ")
        }
        #expect(words(.stop(.child(.a))) == "a:off")
        #expect(words(.stop(.child(.b))) == "b:file")
        #expect(words(.start(.child(.a))) == "a:file b:on")
        #expect(words(.reset(.all)) == "a:file b:file c:file")
        #expect(words(.stop(.all)) == "a:off b:file c:off")
    }

    /// What a stop does to one that runs is told by the end of its run.
    @Test func stopOfWhatHasNoRun_isKnown_whereverItIs() {
        var scene = Scene.ready([.reporting(), .reporting(enabled: false), .reporting()])
        func kept(_ command: Command) -> String {
            scene.supervisor.keptOff(by: command).map { "\($0.letter)" }.joined(separator: " ")
        }
        #expect(kept(.stop(.all)) == "b")
        #expect(kept(.stop(.child(.b))) == "b" && kept(.stop(.child(.a))) == "")
        #expect(kept(.reset(.all)) == "b" && kept(.start(.all)) == "" && kept(.restart(.child(.b))) == "")
        // Between two runs, and given up: a reset brings back what the file enables.
        scene.ends(.a, .code(1))
        scene.ends(.c, .code(78))
        #expect(scene.phases() == "delayed off parked")
        #expect(kept(.stop(.all)) == "a b c" && kept(.reset(.all)) == "b")
    }

    @Test func parkedGroup_staysParked_unlessItWasTouched_orTheCulpritLeft() {
        let group = GroupPolicy(children: [.a, .b])
        let members: [ChildPolicy] = [.reporting(critical: true), .reporting()]
        func parked() -> Scene {
            var scene = Scene.ready(members, groups: [group])
            scene.ends(.a, .code(78))
            scene.endAllStopping()
            return scene
        }
        var scene = parked()
        #expect(scene.reload(TreeChange(tree: tree(members, [group]))) == ["answer 1 unchanged"])
        #expect(scene.phases() == "parked parked")
        let change = TreeChange(tree: tree(members, [group]), changedGroups: [.first])
        #expect(deeds(scene.reload(change)).contains("spawn b"))
        scene = parked()
        let left = tree([.reporting(enabled: false), .reporting()], [GroupPolicy(children: [.b])])
        #expect(deeds(scene.reload(TreeChange(tree: left, removed: [.a]))).contains("spawn b"))
        #expect(scene.phase(.a) == .off)
    }

    @Test func sweptGroup_thatLosesAMember_startsWithoutIt() {
        let group = GroupPolicy(children: [.a, .b], strategy: .oneForAll)
        var scene = Scene.ready([.reporting(), .reporting()], groups: [group])
        #expect(deeds(scene.ends(.a)) == ["TERM main b", "KILL all a"].reversed())
        let left = tree(
            [.reporting(), .reporting(enabled: false)], [GroupPolicy(children: [.a], strategy: .oneForAll)])
        scene.reload(TreeChange(tree: left, removed: [.b]))
        scene.pass(.seconds(1))
        #expect(scene.phases() == "starting stopping")
        #expect(scene.ends(.b, .code(0)).last == "answer 1 done")
    }

    @Test func endingTree_orWrongNumbers_changeNothing() {
        var scene = Scene.ready([.reporting(), .reporting()])
        #expect(scene.reload(TreeChange(tree: tree([.reporting()]), removed: [.b])) == ["answer 1 overtaken"])
        #expect(scene.phases() == "ready ready")
        scene.send(.shutdown(level: 1))
        let more = tree([.reporting(), .reporting(), .reporting()])
        #expect(scene.reload(TreeChange(tree: more, restarted: [.a])) == ["answer 2 overtaken"])
        scene.endAllStopping()
        #expect(scene.phases() == "off off")
    }

    @Test func reload_whileTheLogWriterIsAwaited_keepsWaiting() {
        let children: [ChildPolicy] = [.reporting(), .reporting()]
        var scene = Scene.begun(children, logWriter: .a)
        let new = Tree(children: children + [.reporting()], logWriter: .a)
        #expect(deeds(scene.reload(TreeChange(tree: new))) == [])
        scene.spawned(.a)
        #expect(deeds(scene.ready(.a)) == ["spawn b", "spawn c"])
        scene = Scene.begun(children, logWriter: .a)
        scene.reload(TreeChange(tree: new))
        #expect(deeds(scene.pass(.seconds(5))) == ["spawn b", "spawn c"])
    }
}
