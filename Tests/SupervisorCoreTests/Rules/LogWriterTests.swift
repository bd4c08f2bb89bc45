import SupervisorCore
import Testing

@Suite("The log-writer", .timeLimit(.minutes(1)))
struct LogWriterTests {
    private let writer = ChildPolicy(ready: .reported, stop: StopRule(drain: .seconds(5)))

    @Test func startsFirst_andTheOthersWaitUntilItIsReady() {
        var scene = Scene([ChildPolicy(), writer], logWriter: .b)
        #expect(deeds(scene.start()) == ["spawn b"])
        #expect(scene.view(.a).waitsFor == .b)
        scene.spawned(.b)
        #expect(deeds(scene.ready(.b)) == ["spawn a"])
        scene.spawned(.a)
        #expect(scene.supervisor.nextDeadline == nil)
    }

    @Test func others_startWithoutIt_afterFiveSeconds() {
        var scene = Scene.begun([writer, ChildPolicy()], logWriter: .a)
        #expect(scene.pass(.milliseconds(4_999)) == [])
        #expect(deeds(scene.pass(.milliseconds(1))) == ["spawn b"])
    }

    /// It has the last lines of all others to write.
    @Test func endBeforeItsExec_waitsForThat() {
        var scene = Scene.begun([writer], logWriter: .a)
        scene.cloned(.a)
        #expect(scene.send(.shutdown(level: 1)) == [])
        #expect(scene.spawned(.a) == ["say stopping a asked", "drain a"])
        scene.send(.drained(.a, scene.run(.a)))
        #expect(scene.ends(.a, .code(0)).last == "finished")
    }

    @Test func disabledLogWriter_isNotWaitedFor() {
        var scene = Scene([.reporting(enabled: false), ChildPolicy()], logWriter: .a)
        #expect(deeds(scene.start()) == ["spawn b"])
    }

    @Test func neverParks_andIsBackWithinASecond() {
        var scene = Scene.ready([writer, ChildPolicy()], logWriter: .a)
        let other = scene.run(.b)
        var delays: [Int64] = []
        for _ in 0..<40 {
            let start = scene.now
            scene.ends(.a, .code(78))
            if scene.phase(.a) == .delayed { scene.passToDeadline() }
            scene.bringUp(.a)
            delays.append((scene.now - start).nanoseconds / 1_000_000)
        }
        #expect(delays.prefix(7) == [0, 100, 200, 400, 800, 1_000, 1_000])
        #expect(delays.max() == 1_000)
        #expect(scene.run(.b) == other)
    }

    @Test func stopsLast_afterItsDrain() {
        var scene = Scene.ready([writer, ChildPolicy(), ChildPolicy(requires: [.a])], logWriter: .a)
        #expect(deeds(scene.send(.shutdown(level: 1))) == ["TERM main b", "TERM main c"])
        scene.ends(.b, .code(0))
        #expect(deeds(scene.ends(.c, .code(0))) == ["TERM all c", "drain a"])
        #expect(scene.send(.drained(.a, scene.run(.a))) == ["TERM main a"])
        #expect(scene.ends(.a, .code(0)).last == "finished")
    }

    @Test(arguments: [1, 2, 3] as [UInt8])
    func crashDuringShutdown_isReplacedWhileOthersRun_untilTheThirdLevel(level: UInt8) {
        var scene = Scene.ready([writer, ChildPolicy()], logWriter: .a)
        scene.send(.shutdown(level: level))
        #expect(deeds(scene.ends(.a)) == (level < 3 ? ["KILL all a", "spawn a"] : ["KILL all a"]))
    }

    @Test func shutdownThatFindsItBetweenTwoRuns_givesItOneMoreToDrain() {
        var scene = Scene.ready([writer, ChildPolicy()], logWriter: .a)
        scene.ends(.a)
        scene.bringUp(.a)
        scene.ends(.a)
        #expect(scene.phase(.a) == .delayed)
        scene.send(.shutdown(level: 1))
        #expect(deeds(scene.ends(.b, .code(0))) == ["TERM all b", "spawn a"])
        #expect(deeds(scene.spawned(.a)) == ["drain a"])
        #expect(scene.ends(.a, .code(0)).last == "finished")
    }

    @Test func killedBeforeItHasDrained_itGetsOneMoreRun_butNotForEver() {
        var scene = Scene.ready([writer], logWriter: .a)
        #expect(deeds(scene.send(.shutdown(level: 1))) == ["drain a"])
        // Its death was under way when the end came; the lines in the pipes were nobody's else.
        for _ in 0..<3 {
            #expect(deeds(scene.ends(.a, .killed)) == ["TERM all a", "spawn a"])
            #expect(deeds(scene.spawned(.a)) == ["drain a"])
        }
        #expect(scene.ends(.a, .killed).last == "finished")
    }

    /// Of an adopted one its word is all there is: how it ended is known to nobody.
    @Test(arguments: [Exit.unknown, .killed, .code(1)])
    func endAfterItHasDrained_isTheLast_howeverItEnds(exit: Exit) {
        var scene = Scene.ready([writer], logWriter: .a)
        scene.send(.shutdown(level: 1))
        scene.send(.drained(.a, scene.run(.a)))
        scene.send(.shutdown(level: 2))
        #expect(scene.ends(.a, exit).last == "finished")
        #expect(scene.view(.a).lastEnd?.exit == exit)
    }

    @Test func endOfUnknownKindBeforeItHasDrained_givesItOneMoreRun() {
        var scene = Scene.ready([writer], logWriter: .a)
        scene.send(.shutdown(level: 1))
        #expect(deeds(scene.ends(.a, .unknown)) == ["TERM all a", "spawn a"])
    }

    @Test func endBetweenItsDeathAndItsLastProcess_givesItOneMoreRun() {
        var scene = Scene.ready([writer], logWriter: .a)
        let run = scene.run(.a)
        scene.exited(.a, .killed)
        scene.send(.shutdown(level: 1))
        #expect(deeds(scene.send(.emptied(.a, run))) == ["spawn a"])
        #expect(deeds(scene.spawned(.a)) == ["drain a"])
        #expect(scene.ends(.a, .code(0)).last == "finished")
    }

    @Test(arguments: [Command.stop(.child(.a)), .restart(.child(.a))])
    func commandThatTheEndOvertakes_doesNotStopItBeforeTheOthers(command: Command) {
        var scene = Scene.ready([writer, ChildPolicy(requires: [.a]), ChildPolicy()], logWriter: .a)
        scene.command(command)
        scene.send(.shutdown(level: 1))
        #expect(scene.phases() == "ready stopping stopping")
        scene.ends(.b, .code(0))
        #expect(scene.phase(.a) == .ready)
        #expect(deeds(scene.ends(.c, .code(0))) == ["TERM all c", "drain a"])
    }

    @Test func childWhoseOutputWaitsForIt_isNotReplacedBeforeThereIsRoom() {
        var scene = Scene.ready([writer, ChildPolicy()], logWriter: .a)
        scene.pass(.seconds(120))
        scene.send(.crowded(.b, true))
        #expect(deeds(scene.ends(.b)) == ["KILL all b"])
        #expect(scene.phase(.b) == .waiting)
        #expect(scene.view(.b).waitsFor == .a)
        #expect(deeds(scene.send(.crowded(.b, false))) == ["spawn b"])
    }

    @Test func crowdedChild_isStoppedAtOnce_andStartedWhenThereIsRoom() {
        var scene = Scene.ready([writer, ChildPolicy()], logWriter: .a)
        scene.pass(.seconds(120))
        scene.send(.crowded(.b, true))
        scene.ends(.b)
        #expect(scene.command(.stop(.child(.b))).last == "answer 1 done")
        #expect(scene.phase(.b) == .off)
        #expect(scene.command(.start(.child(.b))) == [])
        #expect(deeds(scene.send(.crowded(.b, false))) == ["spawn b"])
    }

    @Test func crowdedChild_holdsUpTheEndOfTheTreeForNoInstant() {
        var scene = Scene.ready([writer, ChildPolicy()], logWriter: .a)
        scene.pass(.seconds(120))
        scene.send(.crowded(.b, true))
        scene.ends(.b)
        #expect(deeds(scene.send(.shutdown(level: 1))) == ["drain a"])
        #expect(scene.ends(.a, .code(0)).last == "finished")
    }

    @Test func allAsATarget_leavesItAlone() {
        var scene = Scene.ready([writer, ChildPolicy()], logWriter: .a)
        scene.command(.restart(.all))
        scene.endAllStopping()
        #expect(scene.view(.a).endedRuns == 0)
        scene.bringAllUp()
        scene.command(.stop(.all))
        scene.endAllStopping()
        #expect(scene.phases() == "ready off")
    }
}
