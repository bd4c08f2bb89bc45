import SupervisorCore
import Testing

@Suite("Scheduled children", .timeLimit(.minutes(1)))
struct ScheduleTests {
    private static func scheduled(_ schedule: Schedule, enabled: Bool = true) -> ChildPolicy {
        ChildPolicy(enabled: enabled, schedule: schedule)
    }

    private static let hourly = scheduled(.every(.seconds(3600)))

    /// A scene with a calendar whose times are these seconds of the scene's clock, the wall clock being the same.
    private static func calendar(_ seconds: Int64...) -> Scene {
        var scene = Scene([scheduled(.calendar)])
        scene.tellTimes(seconds)
        scene.start()
        return scene
    }

    @Test func interval_runsAtTheStartOfTheTree_andThenFromStartToStart() {
        var scene = Scene.begun([Self.hourly])
        #expect(scene.phase(.a) == .scheduled)
        #expect(scene.pass(.zero) == ["say starting a", "spawn a"])
        scene.spawned(.a)
        scene.pass(.seconds(600))
        #expect(scene.ends(.a, .code(0)).last == "say ended a done")
        #expect(scene.phase(.a) == .scheduled)
        #expect(scene.view(.a).nextTry == Instant(nanoseconds: 3_600_000_000_000))
        #expect(scene.pass(.seconds(2_999)) == [])
        #expect(scene.pass(.seconds(1)) == ["say starting a", "spawn a"])
    }

    @Test func runThatIsStillThere_isNotStartedTwice_andTheTimeIsCounted() {
        var scene = Scene.begun([Self.hourly])
        scene.pass(.zero)
        scene.spawned(.a)
        #expect(scene.pass(.seconds(3_600)) == ["say skipped a 1"])
        #expect(scene.pass(.seconds(7_200)) == ["say skipped a 1", "say skipped a 1"])
        #expect(scene.view(.a).skippedRuns == 3)
        scene.ends(.a, .code(0))
        #expect(scene.pass(.seconds(3_599)) == [])
        #expect(scene.pass(.seconds(1)) == ["say starting a", "spawn a"])
    }

    @Test func timeThatPassesWhileItIsTurnedOff_isNoneThatItMissed() {
        var scene = Scene.begun([Self.hourly])
        scene.pass(.zero)
        scene.spawned(.a)
        scene.pass(.seconds(3_599))
        scene.command(.stop(.child(.a)))
        #expect(scene.phase(.a) == .stopping)
        #expect(scene.pass(.seconds(2)) == [])
        #expect(scene.view(.a).skippedRuns == 0)
        scene.ends(.a, .code(0))
        #expect(scene.phase(.a) == .off)
    }

    @Test(arguments: [Exit.code(1), .code(78), .killed, .notExecuted(.exec, errno: 2)])
    func failedRun_isNotHammered(exit: Exit) {
        var scene = Scene.begun([Self.hourly])
        scene.pass(.zero)
        if case .notExecuted(let stage, let errno) = exit {
            scene.send(.spawnFailed(.a, scene.run(.a), stage, errno: errno))
        } else {
            scene.spawned(.a)
            scene.ends(.a, exit)
        }
        #expect(scene.phase(.a) == .scheduled)
        #expect(scene.view(.a).cause != nil)
        #expect(scene.pass(.seconds(3_599)) == [])
        #expect(scene.pass(.seconds(1)) == ["say starting a", "spawn a"])
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        #expect(scene.view(.a).cause == nil)
    }

    /// Neither the next run itself nor that it is ready for long says that it will do better.
    @Test func failureOfTheLastRun_standsUntilOneHasSucceeded() {
        var scene = Scene.begun([Self.hourly])
        for runs in 1...2 as ClosedRange<UInt16> {
            scene.pass(.zero)
            #expect(scene.view(.a).cause == (runs == 1 ? nil : .crash))
            scene.spawned(.a)
            scene.pass(.seconds(1_800))
            #expect(scene.phase(.a) == .ready)
            #expect(scene.view(.a).cause == (runs == 1 ? nil : .crash) && scene.view(.a).unstableRuns == runs - 1)
            scene.ends(.a, .code(1))
            #expect(scene.view(.a).cause == .crash && scene.view(.a).unstableRuns == runs)
            scene.pass(.seconds(1_800))
        }
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        #expect(scene.view(.a).cause == nil && scene.view(.a).unstableRuns == 0)
    }

    @Test func calendar_runsAtItsTimes_andShowsTheNext() {
        var scene = Self.calendar(100, 200, 350)
        #expect(scene.phase(.a) == .scheduled)
        for time in [100, 200, 350] as [Int64] {
            #expect(scene.view(.a).nextTry == Instant(nanoseconds: time * 1_000_000_000))
            scene.now = Instant(nanoseconds: time * 1_000_000_000)
            #expect(scene.send(.tick) == ["say starting a", "spawn a"])
            scene.spawned(.a)
            scene.ends(.a, .code(0))
        }
        #expect(scene.view(.a).nextTry == nil)
        #expect(scene.supervisor.nextDeadline == nil)
        scene.tellTimes([350, 500])
        #expect(scene.view(.a).nextTry == Instant(nanoseconds: 500_000_000_000))
    }

    @Test func severalTimesThatWentByAsleep_areOneRun() {
        var scene = Self.calendar(100, 200, 300, 400)
        scene.tellTimes([100, 200, 300, 400], ahead: 350)
        #expect(scene.pass(.zero) == ["say skipped a 2", "say starting a", "spawn a"])
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        #expect(scene.pass(.seconds(49)) == [])
        #expect(scene.pass(.seconds(1)) == ["say starting a", "spawn a"])
    }

    @Test func clockThatIsSetBackALittle_takesNoTimeTwice() {
        var scene = Self.calendar(100, 200)
        scene.pass(.seconds(100))
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        scene.tellTimes([100, 200], ahead: -50)
        #expect(scene.pass(.seconds(149)) == [])
        #expect(scene.pass(.seconds(1)) == ["say starting a", "spawn a"])
    }

    @Test func clockThatWasFarAhead_doesNotLoseTheTimesBefore() {
        var scene = Self.calendar(100, 1_000_000)
        scene.tellTimes([100, 1_000_000], ahead: 1_000_000)
        scene.pass(.zero)
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        scene.tellTimes([100, 1_000_000])
        #expect(scene.pass(.seconds(100)).contains("spawn a"))
    }

    @Test func startByName_runsItNow_andTheIntervalCountsFromThere() {
        var scene = Scene.begun([Self.hourly])
        scene.pass(.zero)
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        scene.pass(.seconds(1_000))
        #expect(scene.command(.start(.child(.a))) == ["say starting a", "spawn a"])
        #expect(scene.spawned(.a) == ["say ready a", "answer 1 done"])
        scene.ends(.a, .code(0))
        #expect(scene.pass(.seconds(3_599)) == [])
        #expect(scene.pass(.seconds(1)).contains("spawn a"))
    }

    @Test func startOfEverything_doesNotRunIt() {
        var scene = Scene.begun([Self.hourly])
        scene.pass(.zero)
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        #expect(scene.command(.start(.all)) == ["answer 1 unchanged"])
        #expect(scene.command(.reset(.all)) == ["answer 2 unchanged"])
    }

    @Test func startOfEverything_takesBackAStop_andWaitsForItsTime() {
        var scene = Self.calendar(100, 200)
        scene.command(.stop(.child(.a)))
        #expect(scene.command(.start(.all)) == ["answer 2 done"])
        #expect(scene.phase(.a) == .scheduled)
        #expect(scene.pass(.seconds(99)) == [])
        #expect(scene.pass(.seconds(1)).contains("spawn a"))
    }

    @Test func stop_takesItsTimesAway_andResetGivesThemBack() {
        var scene = Self.calendar(100, 200)
        scene.command(.stop(.child(.a)))
        #expect(scene.phase(.a) == .off)
        #expect(scene.supervisor.nextDeadline == nil)
        scene.pass(.seconds(150))
        scene.command(.reset(.child(.a)))
        #expect(scene.phase(.a) == .scheduled)
        #expect(scene.pass(.seconds(49)) == [])
        #expect(scene.pass(.seconds(1)).contains("spawn a"))
    }

    /// A stop that is taken back before the run has ended leaves what was owed before it: a restart, or nothing.
    @Test(arguments: [Command.reset(.all), .start(.all)], [true, false])
    func restartThatItsRunStillOwes_outlivesAStopThatIsTakenBack(back: Command, isOwed: Bool) {
        var scene = Self.calendar(100, 200)
        scene.pass(.seconds(100))
        let run = scene.run(.a)
        if isOwed { scene.command(.restart(.all)) }
        scene.command(.stop(.child(.a)))
        scene.command(back)
        #expect(scene.run(.a) == run && scene.phase(.a) == .starting)
        #expect(scene.ends(.a, .killed).contains("spawn a") == isOwed)
        #expect(scene.phase(.a) == (isOwed ? .starting : .scheduled))
    }

    @Test func startThatFails_isAnsweredWithItsCause() {
        var scene = Self.calendar(100)
        scene.command(.start(.child(.a)))
        let words = scene.send(.spawnFailed(.a, scene.run(.a), .exec, errno: 2))
        #expect(words.contains("answer 1 failed a config"))
    }

    @Test func gate_holdsItUpAndItRunsLate() {
        var waiting = Self.hourly
        waiting.requires = [.b]
        var scene = Scene.begun([waiting, .reporting()])
        #expect(scene.pass(.seconds(10)) == [])
        #expect(scene.phase(.a) == .waiting)
        scene.spawned(.b)
        #expect(scene.ready(.b) == ["say ready b", "say starting a", "spawn a"])
    }

    /// Found by the simulation, among 630 million events: the start counted as done, and nothing had run.
    @Test(arguments: [true, false]) func resetWhileItWaitsForAGate_forgetsNoRun(isCalled: Bool) {
        var waiting = Self.hourly
        waiting.requires = [.b]
        var scene = Scene.begun([waiting, .reporting()])
        if isCalled { #expect(scene.command(.start(.child(.a))) == []) } else { scene.pass(.seconds(10)) }
        #expect(scene.phase(.a) == .waiting)
        scene.command(.reset(.child(.a)))
        #expect(scene.phase(.a) == .waiting)
        scene.spawned(.b)
        #expect(scene.ready(.b) == ["say ready b", "say starting a", "spawn a"])
        #expect(scene.spawned(.a).contains("answer 1 done") == isCalled)
    }

    @Test func newTimesWhileACalledRunWaitsForAGate_overtakeTheCall() {
        var waiting = Self.hourly
        waiting.requires = [.b]
        var scene = Scene.begun([waiting, .reporting()])
        scene.command(.start(.child(.a)))
        waiting.schedule = .every(.seconds(60))
        let new = Tree(children: [waiting, .reporting()])
        #expect(deeds(scene.reload(TreeChange(tree: new, changed: [.a]))).contains("answer 1 overtaken"))
        #expect(scene.phase(.a) == .scheduled)
    }

    @Test func endOfTheTree_stopsTheRunAndTheClock() {
        var scene = Scene.begun([Self.hourly])
        scene.pass(.zero)
        scene.spawned(.a)
        #expect(scene.send(.shutdown(level: 1)).contains("TERM main a"))
        #expect(scene.ends(.a, .code(0)).last == "finished")
        #expect(scene.supervisor.nextDeadline == nil)
    }

    @Test func failureOfASibling_stopsTheRun_whichComesAtItsNextTime() {
        let group = GroupPolicy(children: [.a, .b], strategy: .oneForAll)
        var scene = Scene.begun([Self.hourly, .reporting()], groups: [group])
        scene.pass(.zero)
        scene.spawned(.a)
        scene.bringUp(.b)
        scene.pass(.seconds(1))
        scene.ends(.b)
        scene.ends(.a, .code(0))
        #expect(scene.phases() == "scheduled starting")
    }

    @Test func anotherInterval_byReload_countsFromTheLastStart() {
        var scene = Scene.begun([Self.hourly])
        scene.pass(.zero)
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        let everyMinute = Tree(children: [Self.scheduled(.every(.seconds(60)))])
        scene.reload(TreeChange(tree: everyMinute, changed: [.a]))
        #expect(scene.phase(.a) == .scheduled)
        #expect(scene.pass(.seconds(59)) == [])
        #expect(scene.pass(.seconds(1)) == ["say starting a", "spawn a"])
    }

    @Test func scheduleTakenAwayByReload_isNotWaitedFor_evenInAParkedGroup() {
        let group = GroupPolicy(children: [.a, .b])
        var scene = Scene.begun([Self.hourly, .reporting(critical: true)], groups: [group])
        scene.ends(.b, .code(78))
        scene.spawned(.b)
        #expect(scene.supervisor.parked(.first) != nil)
        let new = Tree(children: [.reporting(), .reporting(critical: true)], groups: [group])
        scene.reload(TreeChange(tree: new, changed: [.a]))
        #expect(scene.phase(.a) == .parked)
        scene.command(.stop(.child(.b)))
        #expect(scene.phases() == "starting off")
    }

    @Test func scheduleByReload_bindsWhatIsDoneOrWaits() {
        let new = Tree(children: [Self.scheduled(.calendar), .reporting()])
        var scene = Scene.begun([ChildPolicy(restart: .onFailure), .reporting()])
        scene.spawned(.a)
        scene.ends(.a, .code(0))
        #expect(scene.phase(.a) == .done)
        scene.reload(TreeChange(tree: new, changed: [.a]))
        #expect(scene.phase(.a) == .scheduled)
        scene = Scene.begun([.reporting(requires: [.b]), .reporting()])
        #expect(deeds(scene.reload(TreeChange(tree: new, changed: [.a]))) == ["answer 1 done"])
        #expect(scene.phase(.a) == .scheduled)
        scene.tellTimes([100])
        #expect(scene.pass(.seconds(100)).contains("spawn a"))
    }
}

extension Scene {
    /// The times of a's calendar; the wall clock goes `ahead` seconds before the scene's.
    fileprivate mutating func tellTimes(_ seconds: [Int64], ahead: Int64 = 0) {
        let moments = seconds.map { Moment(second: $0, instant: Instant(nanoseconds: ($0 - ahead) * 1_000_000_000)) }
        send(.timetable(.a, moments, second: now.nanoseconds / 1_000_000_000 + ahead))
    }
}
