import Foundation
import Testing

/// Crashes, parking, strategies.
@Suite(.timeLimit(.minutes(2))) struct RestartScenarios {
    private let quick = #"delay = { first = "20ms", cap = "100ms", stable-after = "50ms" }"#

    @Test func killedChild_isBackAndOthersKeepTheirPids() throws {
        let box = try Box(
            """
            [group.g]
            children = ["a", "b", "c"]
            [child.a]
            command = ["FIXTURE", "serve"]
            \(quick)
            [child.b]
            command = ["FIXTURE", "serve"]
            requires = ["a"]
            \(quick)
            [child.c]
            command = ["FIXTURE", "serve"]
            """)
        try box.start()
        try box.waitReady()
        let before = try box.status()
        var pid = before.pid("a")!
        for _ in 0..<10 {
            kill(pid, SIGKILL)
            pid = try box.waitReplaced("a", pid)
        }
        let after = try box.status()
        #expect(after.pid("b") == before.pid("b"))
        #expect(after.pid("c") == before.pid("c"))
        #expect(after.pid("log-writer") == before.pid("log-writer"))
        #expect(after.child("a")?.restarts == 10)
        #expect(after.child("a")?.lastEnd?.signal == 9)
        #expect(box.stop() == 0)
    }

    @Test(arguments: ["one-for-all", "rest-for-one"])
    func strategy_restartsExactlyItsSet(strategy: String) throws {
        let box = try Box(
            """
            [group.g]
            children = ["a", "b", "c"]
            strategy = "\(strategy)"
            [child.a]
            command = ["FIXTURE", "serve"]
            \(quick)
            [child.b]
            command = ["FIXTURE", "serve"]
            \(quick)
            [child.c]
            command = ["FIXTURE", "serve"]
            \(quick)
            """)
        try box.start()
        try box.waitReady()
        let before = try box.status()
        kill(before.pid("b")!, SIGKILL)
        let after = try box.wait("the strategy to be carried out") { now in
            now.ready && now.pid("b") != before.pid("b") && now.pid("c") != before.pid("c")
        }
        if strategy == "one-for-all" { #expect(after.pid("a") != before.pid("a")) }
        #expect(after.child("b")?.lastEnd?.cause == "crash" && after.child("c")?.lastEnd?.cause == "dependency")
        if strategy == "rest-for-one" { #expect(after.pid("a") == before.pid("a")) }
        #expect(box.stop() == 0)
    }

    @Test func criticalChildParks_groupParksOthersStay() throws {
        let box = try Box(
            """
            [group.g]
            children = ["bad", "mate"]
            [child.bad]
            command = ["FIXTURE", "exit", "1"]
            critical = true
            delay = { first = "10ms", cap = "10ms", park-after = 3 }
            [child.mate]
            command = ["FIXTURE", "serve"]
            [child.other]
            command = ["FIXTURE", "serve"]
            """)
        try box.start()
        let status = try box.wait("the group to park") { $0.groups.first?.state == "parked" && $0.pid("mate") == nil }
        #expect(status.child("bad")?.state == "parked")
        #expect(status.child("other")?.state == "ready")
        #expect(try box.ctl("why", "bad").output.contains("exit 1"))
        #expect(box.stop() == 0)
    }

    @Test func configExit_parksAtOnce() throws {
        let box = try Box("[child.bad]\ncommand = [\"FIXTURE\", \"exit\", \"78\"]\n")
        try box.start()
        let status = try box.wait("parking") { $0.child("bad")?.state == "parked" }
        #expect(status.child("bad")?.cause == "config")
        #expect(box.stop() == 0)
    }

    @Test func startStopRestart_byCommand() throws {
        let box = try Box(
            """
            [child.a]
            command = ["FIXTURE", "serve"]
            [child.b]
            command = ["FIXTURE", "serve"]
            requires = ["a"]
            [child.off]
            command = ["FIXTURE", "serve"]
            enabled = false
            """)
        try box.start()
        try box.waitReady()
        #expect(try box.status().child("off")?.state == "off")
        #expect(try box.ctl("start", "off").status == 0)
        #expect(try box.status().child("off")?.state == "ready")
        #expect(try box.ctl("stop", "a").status == 0)
        var status = try box.status()
        #expect(status.child("a")?.state == "off")
        #expect(status.pid("b") == nil)
        #expect(try box.ctl("start", "b").status == 0)
        status = try box.status()
        #expect(status.child("a")?.state == "ready")
        let old = status.pid("a")!
        #expect(try box.ctl("restart", "a").status == 0)
        #expect(try box.status().pid("a") != old)
        let wrong = try box.ctl("start", "nonsense")
        #expect(wrong.status != 0)
        #expect(wrong.errors.contains("nonsense"))
        #expect(box.stop() == 0)
    }

    @Test func noReplacementWhileOldRunLives_twoLiveRunsNever() throws {
        let box = try Box(
            """
            [child.slow]
            command = ["FIXTURE", "ignore-term"]
            ready = { log-line = "ignoring SIGTERM" }
            stop-timeout = "500ms"
            PIDS
            """)
        try box.start()
        try box.waitReady()
        // A restart is answered when the new run is ready: by then it has registered and ignores SIGTERM.
        for _ in 0..<3 { #expect(try box.ctl("restart", "slow").status == 0) }
        let mains = box.registered().filter { $0.role == "main" }.map(\.pid)
        #expect(mains.count == 4)
        #expect(mains.filter(isAlive).count == 1)
        #expect(box.stop() == 0)
    }
}
