import SupervisorCore
import Testing

@Suite("Ends, delays and parking", .timeLimit(.minutes(1)))
struct EndingTests {
    @Test func exitCodesAndSignals_haveTheMeaningOfTheRule() {
        let rule = ExitRule(
            success: [0, 3, .signal(.terminate)], config: [78, .signal(Signal(rawValue: 4))],
            network: [69, .signal(Signal(rawValue: 1))])
        let ends: [(Exit, String)] = [
            (.code(0), "done"), (.code(3), "done"), (.signal(.terminate, coreDumped: false, oom: false), "done"),
            (.code(78), "config"), (.signal(Signal(rawValue: 4), coreDumped: true, oom: false), "config"),
            (.code(69), "network"), (.signal(Signal(rawValue: 1), coreDumped: false, oom: false), "network"),
            (.code(64), "crash"), (.killed, "crash"), (.signal(.terminate, coreDumped: false, oom: true), "oom"),
        ]
        for (exit, cause) in ends {
            var scene = Scene.ready([ChildPolicy(restart: .onFailure, exits: rule)])
            #expect(scene.ends(.a, exit).contains("say ended a \(cause)"), "\(exit)")
        }
    }

    /// Found by the simulation: the time in which nobody could kill it counted as ready time.
    @Test func unkillableTime_doesNotMakeARunStable() {
        var scene = Scene.ready([ChildPolicy(watchdog: .seconds(1))])
        scene.pass(.seconds(1 + 10 + 5))
        #expect(scene.phase(.a) == .unkillable)
        scene.pass(.seconds(100))
        scene.ends(.a, .killed)
        #expect(scene.view(.a).unstableRuns == 1)
    }

    /// ready = "done" is a run that never says it is ready: its success is what its dependents wait for.
    @Test(arguments: [RestartRule.onFailure, .never])
    func oneShot_letsItsDependentsStartWhenItIsDone(restart: RestartRule) {
        var scene = Scene.begun([.reporting(requires: [.b]), .reporting(restart: restart)])
        scene.command(.start(.all))
        scene.spawned(.b)
        #expect(scene.phases() == "waiting starting")
        #expect(scene.ends(.b, .code(0)).suffix(3) == ["say ended b done", "say starting a", "spawn a"])
        scene.spawned(.a)
        #expect(scene.ready(.a) == ["say ready a", "answer 1 done"])
        #expect(scene.phases() == "ready done")
    }

    @Test func oneShotThatFails_isTriedAgainOrNeedsYou_andItsDependentsWait() {
        for (restart, phases) in [(RestartRule.onFailure, "waiting delayed"), (.never, "waiting parked")] {
            var scene = Scene.begun([.reporting(requires: [.b]), .reporting(restart: restart)])
            scene.spawned(.b)
            scene.ends(.b, .code(1))
            #expect(scene.phases() == phases)
            #expect(scene.pass(.seconds(90)).contains("spawn b") == (restart == .onFailure))
        }
    }

    @Test func defaultMeanings_areThoseOfSysexits() {
        for (code, cause) in [(0 as UInt8, "done"), (64, "config"), (78, "config"), (68, "network"), (69, "crash")] {
            var scene = Scene.ready([ChildPolicy(restart: .onFailure)])
            #expect(scene.ends(.a, .code(code)).contains("say ended a \(cause)"))
        }
    }

    @Test func successBySignalAtOnce_isNoUsageError() {
        let rule = ExitRule(success: [.signal(.terminate)])
        var scene = Scene.ready([ChildPolicy(exits: rule)])
        #expect(
            scene.ends(.a, .signal(.terminate, coreDumped: false, oom: false)).suffix(2) == [
                "say ended a done", "say delayed a done",
            ])
    }

    /// Crashes at once, again and again; the delays from start to start in milliseconds.
    private func delays(of child: ChildID, in scene: inout Scene, runs: Int, _ exit: Exit = .crash) -> [Int64] {
        (0..<runs).map { _ in
            let start = scene.now
            scene.bringUp(child)
            scene.ends(child, exit)
            scene.passToDeadline()
            return (scene.now - start).nanoseconds / 1_000_000
        }
    }

    @Test func delay_doublesFromFirstToCap_countedFromTheStart() {
        var scene = Scene.begun([.reporting()])
        #expect(
            delays(of: .a, in: &scene, runs: 11)
                == [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000])
        #expect(scene.view(.a).unstableRuns == 11)
    }

    @Test func delay_hasUpToATenthOfJitter() {
        var scene = Scene.begun([.reporting()])
        scene.jitter = .max
        #expect(delays(of: .a, in: &scene, runs: 3) == [110, 220, 440])
        scene.jitter = .max / 2
        scene.bringUp(.a)
        scene.ends(.a)
        let delay = (scene.view(.a).nextTry ?? scene.now) - scene.now
        #expect(delay > .milliseconds(800) && delay < .milliseconds(880))
    }

    @Test func runThatOutlivedItsDelay_isReplacedAtOnce() {
        var scene = Scene.begun([.reporting()])
        _ = delays(of: .a, in: &scene, runs: 3)
        scene.bringUp(.a)
        scene.pass(.milliseconds(800))
        #expect(deeds(scene.ends(.a)) == ["KILL all a", "spawn a"])
        #expect(scene.view(.a).unstableRuns == 4)
    }

    @Test func stableRun_forgetsTheCount_alreadyWhileItLives() {
        var scene = Scene.begun([.reporting()])
        _ = delays(of: .a, in: &scene, runs: 5)
        scene.bringUp(.a)
        scene.pass(.seconds(60))
        #expect(scene.view(.a).unstableRuns == 0)
        #expect(scene.supervisor.nextDeadline == nil)
        #expect(deeds(scene.ends(.a)) == ["KILL all a", "spawn a"])
        #expect(scene.view(.a).unstableRuns == 0)
    }

    @Test func stableRun_isStable_alsoWhenItsEndIsHeardBeforeTheTick() {
        var scene = Scene.begun([.reporting()])
        _ = delays(of: .a, in: &scene, runs: 5)
        scene.bringUp(.a)
        scene.now = scene.now + .seconds(60)
        scene.ends(.a)
        #expect(scene.view(.a).unstableRuns == 0)
    }

    @Test func timeBeforeReady_isNotStableTime() {
        var scene = Scene.begun([ChildPolicy(ready: .reported, startTimeout: .seconds(600))])
        scene.spawned(.a)
        scene.pass(.seconds(120))
        scene.ends(.a)
        #expect(scene.view(.a).unstableRuns == 1)
    }

    @Test func twelveUnstableRuns_park_withASlowRetry_andOneMoreParksAgain() {
        var scene = Scene.begun([.reporting()])
        _ = delays(of: .a, in: &scene, runs: 11)
        scene.bringUp(.a)
        #expect(scene.ends(.a).last == "say parked a crash")
        #expect(scene.view(.a).nextTry == scene.now + .seconds(900))
        #expect(deeds(scene.pass(.seconds(900))) == ["spawn a"])
        scene.bringUp(.a)
        #expect(scene.ends(.a).last == "say parked a crash")
    }

    @Test func parkedWithoutSlowRetry_waitsForACommand_whichForgetsTheCount() {
        let rule = DelayRule(parkAfter: 1, slowRetry: nil)
        var scene = Scene.ready([ChildPolicy(delay: rule)])
        #expect(scene.ends(.a).last == "say parked a crash")
        #expect(scene.supervisor.nextDeadline == nil)
        #expect(scene.view(.a).nextTry == nil)
        #expect(deeds(scene.command(.start(.child(.a)))) == ["spawn a"])
        #expect(scene.view(.a).unstableRuns == 0)
    }

    @Test(arguments: [
        (Exit.code(78), Cause.config), (.notExecuted(.exec, errno: 2), .config),
        (.notExecuted(.exec, errno: 13), .config),
        (.notExecuted(.exec, errno: 8), .config), (.notExecuted(.directory, errno: 20), .config),
    ])
    func configEnd_parksAtOnce(exit: Exit, cause: Cause) {
        var scene = Scene.begun([.reporting()])
        if case .notExecuted(let stage, let errno) = exit {
            scene.send(.spawnFailed(.a, scene.run(.a), stage, errno: errno))
        } else {
            scene.bringUp(.a)
            scene.ends(.a, exit)
        }
        #expect(scene.phase(.a) == .parked)
        #expect(scene.view(.a).cause == cause)
        #expect(scene.view(.a).lastEnd?.exit == exit)
    }

    @Test(arguments: [11, 12, 23, 24, 26] as [Int32])
    func transientSpawnFailure_isACrashWithBackOff(errno: Int32) {
        var scene = Scene.begun([.reporting()])
        #expect(scene.send(.spawnFailed(.a, scene.run(.a), .clone, errno: errno)).first == "say ended a crash")
        #expect(scene.phase(.a) == .delayed)
    }

    @Test func networkEnd_isTriedForEver_withALowCap() {
        let rule = ExitRule(network: [69])
        var scene = Scene.begun([ChildPolicy(ready: .reported, exits: rule)])
        let delays = delays(of: .a, in: &scene, runs: 40, .code(69))
        #expect(delays.prefix(8) == [100, 200, 400, 800, 1_600, 3_200, 6_400, 9_090])
        #expect(delays.last == 9_090)
        #expect(scene.view(.a).unstableRuns == 0)
        scene.spawned(.a)
        #expect(scene.view(.a).restarts == 40)
    }

    @Test func firstStartThatFails_isNoRestart_beforeItIsTriedAgain() {
        var scene = Scene.begun([.reporting()])
        scene.ends(.a, .code(78))
        #expect(scene.phase(.a) == .parked)
        #expect(scene.view(.a).restarts == 0 && scene.view(.a).endedRuns == 1)
        scene.command(.start(.child(.a)))
        #expect(scene.view(.a).restarts == 0)
        scene.spawned(.a)
        #expect(scene.view(.a).restarts == 1)
    }

    @Test func triesThatComeToNoProgram_areNoRestarts_butWhatTheyLedToIsOne() {
        var scene = Scene.ready([.reporting()])
        scene.pass(.seconds(1))
        scene.ends(.a)
        for _ in 0..<3 {
            scene.send(.spawnFailed(.a, scene.run(.a), .prepare, errno: 11))
            scene.pass(.seconds(40))
        }
        #expect(scene.view(.a).restarts == 0 && scene.view(.a).endedRuns == 4)
        scene.spawned(.a)
        #expect(scene.view(.a).restarts == 1)
        // The first of all was none; nor is the one after tries alone.
        var first = Scene.begun([.reporting()])
        first.send(.spawnFailed(.a, first.run(.a), .prepare, errno: 11))
        first.pass(.seconds(40))
        first.spawned(.a)
        #expect(first.view(.a).restarts == 0 && first.view(.a).endedRuns == 1)
    }

    @Test func triesThatAreEndedBeforeTheirExec_areNoRestartsEither() {
        func afterACrash() -> Scene {
            var scene = Scene.ready([.reporting()])
            scene.pass(.seconds(1))
            scene.ends(.a)
            return scene
        }
        var late = afterACrash()
        late.passToDeadline()
        late.ends(.a, .killed)
        #expect(late.view(.a).lastEnd?.cause == .probe && late.view(.a).endedRuns == 2)
        var killed = afterACrash()
        killed.ends(.a, .killed)
        var stopped = afterACrash()
        stopped.command(.stop(.child(.a)))
        stopped.cloned(.a)
        stopped.ends(.a, .killed)
        #expect(stopped.view(.a).restarts == 0)
        stopped.command(.start(.child(.a)))
        for var scene in [late, killed, stopped] {
            scene.pass(.seconds(40))
            #expect(scene.view(.a).restarts == 0)
            scene.spawned(.a)
            #expect(scene.view(.a).restarts == 1)
        }
        // It is to go down, and executed all the same.
        var overtaken = afterACrash()
        overtaken.command(.stop(.child(.a)))
        overtaken.cloned(.a)
        overtaken.spawned(.a)
        #expect(overtaken.view(.a).restarts == 1)
    }

    @Test func causes_areNamed() {
        func cause(_ exit: Exit) -> Cause? {
            var scene = Scene.ready([ChildPolicy(exits: ExitRule(network: [69]))])
            scene.pass(.seconds(1))
            scene.ends(.a, exit)
            return scene.view(.a).lastEnd?.cause
        }
        #expect(cause(.code(1)) == .crash)
        #expect(cause(.killed) == .crash)
        #expect(cause(.signal(.kill, coreDumped: false, oom: true)) == .oom)
        #expect(cause(.code(69)) == .network)
        #expect(cause(.code(78)) == .config)
        #expect(cause(.code(0)) == .done)
        #expect(cause(.unknown) == .unknown)
    }

    @Test func cleanExitAtOnce_whereItMustRun_isConfig() {
        var scene = Scene.ready([ChildPolicy()])
        scene.pass(.milliseconds(999))
        #expect(scene.ends(.a, .code(0)).suffix(2) == ["say ended a config", "say parked a config"])
    }

    @Test func cleanExitLater_whereItMustRun_isAnUnstableRun() {
        var scene = Scene.ready([ChildPolicy()])
        scene.pass(.seconds(1))
        #expect(deeds(scene.ends(.a, .code(0))) == ["KILL all a", "spawn a"])
        #expect(scene.view(.a).unstableRuns == 1)
    }

    @Test func cleanExitAfterStableTime_isReplacedAtOnce_howeverShortThatIs() {
        var scene = Scene.ready([ChildPolicy(delay: DelayRule(stableAfter: .milliseconds(200)))])
        scene.pass(.milliseconds(200))
        #expect(deeds(scene.ends(.a, .code(0))) == ["KILL all a", "spawn a"])
        #expect(scene.view(.a).unstableRuns == 0)
    }

    @Test func stableRunsShorterThanTheFirstDelay_areStillBounded() {
        var scene = Scene.begun([ChildPolicy(delay: DelayRule(stableAfter: .zero))])
        #expect(delays(of: .a, in: &scene, runs: 5) == [100, 100, 100, 100, 100])
    }

    @Test(arguments: [
        (RestartRule.always, Exit.code(1), Phase.delayed), (.onFailure, .code(1), .delayed),
        (.never, .code(1), .parked),
        (.always, .code(0), .parked), (.onFailure, .code(0), .done), (.never, .code(0), .done),
        (.onFailure, .code(3), .done), (.onFailure, .code(78), .parked),
    ])
    func restartRule_decides(rule: RestartRule, exit: Exit, phase: Phase) {
        var scene = Scene.ready([ChildPolicy(restart: rule, exits: ExitRule(success: [3]))])
        scene.ends(.a, exit)
        #expect(scene.phase(.a) == phase)
        if rule == .never, phase == .parked { #expect(scene.view(.a).nextTry == nil) }
    }

    @Test func probeEnd_isAFailure_evenWithASuccessCode() {
        var scene = Scene.ready([ChildPolicy(restart: .onFailure, watchdog: .seconds(2))])
        scene.pass(.seconds(2))
        #expect(deeds(scene.ends(.a, .code(0))) == ["KILL all a", "spawn a"])
    }

    @Test func intensity_parksWhenTheWindowHoldsTooMany() {
        let policy = ChildPolicy(intensity: Intensity(restarts: 2, window: .seconds(10)), ready: .reported)
        var scene = Scene.begun([policy])
        for _ in 0..<2 {
            scene.bringUp(.a)
            scene.pass(.seconds(3))
            #expect(deeds(scene.ends(.a)).last == "spawn a")
        }
        scene.bringUp(.a)
        scene.pass(.seconds(3))
        #expect(scene.ends(.a).last == "say parked a crash")
    }

    @Test func intensity_isForgottenByACommand() {
        let policy = ChildPolicy(intensity: Intensity(restarts: 1, window: .seconds(10)), ready: .reported)
        var scene = Scene.begun([policy])
        for _ in 0..<3 {
            scene.bringUp(.a)
            scene.pass(.seconds(1))
            #expect(deeds(scene.ends(.a)).last == "spawn a")
            scene.command(.reset(.child(.a)))
        }
    }

    @Test func intensity_letsRestartsPassThatAreSpreadOut() {
        let policy = ChildPolicy(
            delay: DelayRule(stableAfter: .seconds(1)), intensity: Intensity(restarts: 2, window: .seconds(10)),
            ready: .reported)
        var scene = Scene.begun([policy])
        for _ in 0..<8 {
            scene.bringUp(.a)
            scene.pass(.seconds(6))
            #expect(deeds(scene.ends(.a)).last == "spawn a")
        }
    }

    @Test func aMonthOfCrashes_staysWithinItsBounds() {
        var scene = Scene.begun([.reporting()])
        var spawns = 0
        let end = Instant(nanoseconds: 30 * 86_400 * 1_000_000_000)
        while scene.now < end {
            if scene.phase(.a) == .starting {
                spawns += 1
                scene.bringUp(.a)
                scene.ends(.a)
            }
            scene.passToDeadline()
        }
        // Twelve at the beginning, then one every quarter of an hour.
        #expect(spawns <= 12 + 30 * 96 + 1)
        #expect(spawns >= 30 * 96 - 12)
    }
}
