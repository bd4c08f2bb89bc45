import Plan
import SupervisorCore
import Testing

@testable import Runtime

/// Words and keys that would be wrong by a little: another limit, another key, nobody's fault.
extension ExplanationTests {
    private static let delay = ["delay.first = 10s", "delay.cap = 30s", "delay.park-after = 12"]

    /// Its program is waited for, so long that the limit for every exec is this far.
    private static func held(startTimeout: Duration, execution: Duration) -> Stage {
        var stage = Stage([a { $0.policy.startTimeout = startTimeout }])
        stage.executionEnd = stage.now + execution
        return stage
    }

    /// It hung, in these words.
    private static func hung(_ words: String) -> Stage {
        var stage = up {
            $0.policy.watchdog = .seconds(2)
            $0.policy.delay.first = .seconds(10)
        }
        stage.pass(.seconds(2))
        stage.remark = EndRemark(stage.view(.a).run ?? RunID(rawValue: 0), words)
        stage.ends(.a, .signal(.terminate, coreDumped: false, oom: false))
        return stage
    }

    private static func renewed(isOver: Bool = true) -> Stage {
        var stage = up()
        let run = stage.view(.a).run ?? RunID(rawValue: 0)
        stage.send(.restartItself(.a, run))
        stage.remark = EndRemark(run, EndRemark.wished)
        if isOver { stage.ends(.a, .code(0)) }
        return stage
    }

    /// It said that it stops, did not, and was killed for that.
    private static func killedAfterItsWord() -> Stage {
        var stage = up()
        stage.remark = EndRemark(
            stage.view(.a).run ?? RunID(rawValue: 0), "words",
            [Explanation.Setting(key: "child.a.stop-timeout", value: "5s")])
        stage.ends(.a, .signal(.kill, coreDumped: false, oom: false))
        return stage
    }

    /// It was ready for a minute first, which is stable.
    private static func renewedStable(isOver: Bool, _ intensity: Intensity? = nil) -> Stage {
        var stage = up { $0.policy.intensity = intensity }
        stage.pass(.seconds(60))
        let run = stage.view(.a).run ?? RunID(rawValue: 0)
        stage.send(.restartItself(.a, run))
        stage.remark = EndRemark(run, EndRemark.wished)
        if isOver { stage.ends(.a, .code(0)) }
        return stage
    }

    private static func stopped(_ treeEndsSince: (Stage) -> Instant?) -> Stage {
        var stage = up()
        stage.pass(.seconds(1))
        stage.send(.shutdown(level: 1))
        stage.ends(.a, .code(0))
        stage.treeEndsSince = treeEndsSince(stage)
        return stage
    }

    static let exact: [Case] = [
        Case(
            testDescription: "its exec has the time that every exec has", phase: .starting, cause: nil,
            settings: ["command = …"],
            says: [
                "its program to be executed",
                "it has 7 s left for its exec; then it is killed, with cause crash: no exec has more than 10 s, which is fixed",
            ]
        ) { held(startTimeout: .seconds(60), execution: .seconds(7)) },
        Case(
            testDescription: "its exec has the time of its start", phase: .starting, cause: nil,
            settings: ["start-timeout = 3s"],
            says: ["it has 3 s left for its exec; then it is stopped, with cause probe (`start-timeout`)"]
        ) { held(startTimeout: .seconds(3), execution: .seconds(3)) },
        Case(
            testDescription: "it said that it hangs", phase: .delayed, cause: .watchdog, settings: delay,
            says: ["it said itself that it hangs (WATCHDOG=trigger)"]
        ) { hung(EndRemark.triggered) },
        Case(
            testDescription: "it hung by a watchdog of its own", phase: .delayed, cause: .watchdog, settings: delay,
            says: ["WATCHDOG=1 in the time that it chose itself (WATCHDOG_USEC)"]
        ) { hung("no WATCHDOG=1 came for 2 s" + EndRemark.ownWatchdog) },
        Case(
            testDescription: "it asked for its own restart", phase: .delayed, cause: .asked,
            settings: ["delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["it asked for its own restart; it counts as a crash", "12 unstable runs in a row (now 1)"]
        ) { renewed() },
        Case(
            testDescription: "it asked for its own restart, and ends", phase: .stopping, cause: .asked,
            settings: ["stop-timeout = 5s", "kill-grace = 5s"],
            says: ["it asked for its own restart; it counts as a crash", "12 unstable runs in a row (now 0)"]
        ) { renewed(isOver: false) },
        Case(
            testDescription: "it asked for its own restart when it was stable", phase: .starting, cause: .asked,
            settings: ["start-timeout = 1min", "ready = …"],
            says: [
                "it asked for its own restart; the run was stable (`delay.stable-after`): it does not count as a crash",
                "12 unstable runs in a row (now 0)",
            ]
        ) { renewedStable(isOver: true) },
        Case(
            testDescription: "it asked for its own restart when it was stable, and ends", phase: .stopping,
            cause: .asked,
            settings: ["stop-timeout = 5s", "kill-grace = 5s"],
            says: ["restart; the run was stable (`delay.stable-after`): it counts for `intensity` only"]
        ) { renewedStable(isOver: false, Intensity(restarts: 5, window: .seconds(60))) },
        Case(
            testDescription: "the one before said that it stops, and did not, and this one says so too",
            phase: .stopping,
            cause: .crash, settings: ["stop-timeout = 5s", "kill-grace = 5s"],
            says: ["it said that it stops, and did not end in time: nexusd killed it (`stop-timeout`)"]
        ) {
            var stage = killedAfterItsWord()
            stage.pass(.seconds(1))
            stage.ready(.a)
            stage.send(.stopping(.a, stage.view(.a).run ?? RunID(rawValue: 0)))
            return stage
        },
        Case(
            testDescription: "it said that it stops, and did not", phase: .delayed, cause: .crash,
            settings: ["stop-timeout = 5s", "delay.first = 100ms", "delay.cap = 30s", "delay.park-after = 12"],
            says: ["it said that it stops, and did not end in time: nexusd killed it (`stop-timeout`)"]
        ) {
            killedAfterItsWord()
        },
        Case(
            testDescription: "stopped with the tree", phase: .off, cause: .asked, settings: [],
            says: [
                "it was stopped, and the tree is being ended; nothing is counted", "stopped with the tree",
                "nothing: the tree is being ended",
            ]
        ) { stopped { $0.view(.a).since } },
        Case(
            testDescription: "given up before the tree is ended", phase: .off, cause: .asked, settings: [],
            says: ["its last run had ended by itself (config), and no other follows: the tree is being ended"]
        ) {
            var stage = up()
            stage.ends(.a, .code(78))
            stage.pass(.seconds(1))
            stage.send(.shutdown(level: 1))
            stage.treeEndsSince = stage.now
            return stage
        },
        Case(
            testDescription: "it ends with the tree", phase: .stopping, cause: .asked,
            settings: ["stop-timeout = 5s", "kill-grace = 5s"],
            says: ["the tree is being ended: nothing is started again", "it is being stopped"]
        ) {
            var stage = up()
            stage.pass(.seconds(1))
            stage.treeEndsSince = stage.now
            stage.send(.shutdown(level: 1))
            return stage
        },
        Case(
            testDescription: "stopped by a worker, before the tree was", phase: .off, cause: .asked,
            settings: ["enabled = true"], says: ["stopped by a worker", "nothing until `nexusctl start a`"]
        ) { stopped { $0.now + .seconds(1) } },
        Case(
            testDescription: "one unstable run is enough", phase: .parked, cause: .crash,
            settings: ["delay.park-after = 1", "delay.slow-retry = 15min"], says: ["1 unstable run parks it"]
        ) {
            var stage = up { $0.policy.delay.parkAfter = 1 }
            stage.ends(.a)
            return stage
        },
    ]

    /// Between two ends it serves for a moment: whoever asks then is told of the same keys.
    @Test func runBetweenTwoEnds_hasTheKeysOfTheLastOne() {
        var stage = Self.up { $0.policy.watchdog = .seconds(2) }
        stage.pass(.seconds(2))
        stage.ends(.a, .signal(.terminate, coreDumped: false, oom: false))
        stage.pass(.seconds(40))
        #expect(stage.view(.a).phase == .starting && stage.explanation(.a).settings.first?.key == "child.a.watchdog")
        stage.ready(.a)
        let words = stage.explanation(.a)
        #expect(stage.view(.a).phase == .ready && words.settings.first?.key == "child.a.watchdog")
        #expect(words.causeWords?.contains("(`watchdog`)") == true)
    }

    @Test func endThatSomebodyWishedFor_leavesNoKeys() {
        var stage = Self.up()
        stage.send(.command(.restart(.child(.a)), CommandID(rawValue: 1)))
        stage.ends(.a, .signal(.terminate, coreDumped: false, oom: false))
        stage.ready(.a)
        #expect(stage.view(.a).lastEnd?.cause == .asked)
        #expect(stage.explanation(.a).settings.map(\.key) == ["child.a.restart"])
    }
}
