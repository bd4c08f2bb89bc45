import Foundation
import Testing

/// Every kind of readiness, early, late and never.
@Suite(.timeLimit(.minutes(2))) struct ReadinessScenarios {
    @Test(arguments: [
        (#"command = ["FIXTURE", "late-ready", "200"]"#, #"ready = "notify""#),
        (#"command = ["FIXTURE", "ready-grandchild"]"#, #"ready = "notify""#),
        (#"command = ["FIXTURE", "ready-fd", "5", "200"]"#, "ready = { fd = 5 }"),
        (
            #"command = ["FIXTURE", "say", "serving on 127.0.0.1:4711 now", "200"]"#,
            #"ready = { log-line = "serving on 127.0.0.1:{port:int} now" }"#
        ),
        (
            #"command = ["FIXTURE", "listen", "47113", "200"]"#,
            #"ready = { tcp = "127.0.0.1:47113", interval = "50ms" }"#
        ),
        (
            #"command = ["FIXTURE", "serve"]"#,
            #"ready = { exec = ["/bin/sh", "-c", "if test ! -e DIR/go; then touch DIR/go; exit 1; fi"], interval = "50ms" }"#
        ),
        ("command = [\"FIXTURE\", \"worker\"]\nworker = true", #"ready = "bus""#),
        (#"command = ["FIXTURE", "serve"]"#, #"ready = "none""#),
        (
            #"command = ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "DIR", "47115"]"#,
            #"ready = { http = "http://127.0.0.1:47115/", interval = "50ms" }"#
        ),
        ("command = [\"FIXTURE\", \"exit\", \"0\", \"200\"]\nrestart = \"on-failure\"", #"ready = "done""#),
    ])
    func kind_becomesReadyAndDependentStartsAfterIt(command: String, ready: String) throws {
        let box = try Box(
            """
            [child.first]
            \(command)
            \(ready)
            PIDS
            [child.second]
            command = ["FIXTURE", "serve"]
            requires = ["first"]
            """)
        try box.start()
        try box.waitReady()
        let status = try box.status()
        #expect(status.child("first")?.state == (ready.contains("done") ? "done" : "ready"))
        #expect(status.child("second")?.state == "ready")
        // An open gate would have started both at once.
        let events = try box.events(untilLast: "second is ready.", ofRun: status.child("second")?.run)
        let shown = events.firstIndex {
            $0.child == "first" && ($0.message == "first is ready." || $0.message.contains(" ended after "))
        }
        let started = events.firstIndex { $0.message == "Starting second." }
        #expect(try #require(shown) < #require(started), "\(events.map(\.message))")
        #expect(events[shown!].timeMs <= events[started!].timeMs)
        if ready.contains("{port:int}") { #expect(status.child("first")?.values["port"] == "4711") }
        if command.contains("late-ready") { #expect(status.child("first")?.status == "late but here") }
        #expect(box.stop() == 0)
    }

    /// python's server on a directory: with the file it answers 200, without it 404.
    @Test func httpProbes_decideByTheStatus_andNexusProbeMayDieOrHang() throws {
        let box = try Box(
            """
            [child.site]
            command = ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "DIR/site", "47114"]
            ready = { http = "http://127.0.0.1:47114/health", interval = "20ms" }
            liveness = { http = "http://localhost:47114/health", interval = "20ms", misses = 3, timeout = "100ms" }
            delay = { first = "10ms", cap = "10ms", park-after = 100 }
            """)
        let file = box.directory + "/site/health"
        try FileManager.default.createDirectory(atPath: box.directory + "/site", withIntermediateDirectories: true)
        try box.start()
        _ = try box.wait("a miss that names the status") {
            $0.child("site")?.health?.hasPrefix("HTTP 404") == true
        }
        #expect(try box.status().child("site")?.state == "starting")
        try "well".write(toFile: file, atomically: true, encoding: .utf8)
        try box.waitReady()
        let first = try #require(try box.status().child("site")?.pid)

        for end in [SIGKILL, SIGKILL, SIGSTOP] {
            let old = try #require(try box.status().child("nexus-probe")?.pid)
            Foundation.kill(old, end)
            _ = try box.waitReplaced("nexus-probe", old)
        }
        #expect(try box.status().child("site")?.pid == first)

        try FileManager.default.removeItem(atPath: file)
        let ended = try box.wait("the end by its probe") { $0.child("site")?.lastEnd?.cause == "probe" }
        #expect(ended.child("site")?.pid != first)
        #expect(box.stop() == 0)
    }

    @Test func neverReady_isEndedAfterItsStartTimeout_dependentNeverStarts() throws {
        let box = try Box(
            """
            [child.first]
            command = ["FIXTURE", "never-ready"]
            ready = "notify"
            start-timeout = "200ms"
            delay = { first = "10ms", cap = "10ms", park-after = 2, slow-retry = "never" }
            [child.second]
            command = ["FIXTURE", "serve"]
            requires = ["first"]
            PIDS
            """)
        try box.start()
        let status = try box.wait("parking") { $0.child("first")?.state == "parked" }
        #expect(status.child("first")?.lastEnd?.cause == "probe")
        #expect(status.child("second")?.state == "waiting")
        #expect(box.registered().isEmpty)
        let waited = try box.ctl("wait", "--ready", "--timeout", "5s")
        #expect(waited.status != 0)
        #expect(box.stop() == 0)
    }

    @Test func watchdogSilence_restartsWithThatCause() throws {
        let box = try Box(
            """
            [child.dog]
            command = ["FIXTURE", "watchdog", "3", "50"]
            ready = "notify"
            watchdog = "300ms"
            """)
        try box.start()
        let status = try box.wait("the watchdog to bite") { ($0.child("dog")?.restarts ?? 0) >= 1 }
        #expect(status.child("dog")?.lastEnd?.cause == "watchdog")
        #expect(box.stop() == 0)
    }

    @Test func livenessMisses_restartWithCauseProbe() throws {
        let box = try Box(
            """
            [child.sick]
            command = ["FIXTURE", "serve"]
            liveness = { exec = ["/bin/sh", "-c", "test ! -e DIR/sick"], interval = "100ms", misses = 2 }
            """)
        try box.start()
        try box.waitReady()
        try Data().write(to: URL(fileURLWithPath: box.directory + "/sick"))
        let status = try box.wait("the restart") { ($0.child("sick")?.restarts ?? 0) >= 1 }
        #expect(status.child("sick")?.lastEnd?.cause == "probe")
        #expect(box.stop() == 0)
    }

    /// One answer from `is-ready`, `wait --ready` and `status`, also for what the file alone does not tell.
    @Test func isReady_agreesWithWaitAndStatus_aboutChoicesAndSchedules() throws {
        let box = try Box(
            """
            [child.nightly]
            command = ["true"]
            schedule = { every = "1d" }
            [child.bad]
            command = ["FIXTURE", "exit", "78"]
            enabled = false
            """)
        try box.start()
        try box.wait("the first run to be over") { $0.child("nightly")?.state == "scheduled" }
        #expect(try box.ctl("is-ready").status == 0)
        #expect(try box.ctl("wait", "--ready").status == 0)
        try box.ctl("start", "bad")
        try box.wait("it to park") { $0.child("bad")?.state == "parked" }
        let answer = try box.ctl("is-ready")
        #expect(answer.status == 1 && answer.errors.contains("bad is parked"), "\(answer.errors)")
        let waited = try box.ctl("wait", "--ready")
        #expect(waited.status == 1 && !waited.errors.contains("everything asked for is ready"), "\(waited.errors)")
        #expect(try box.ctl("is-ready", "nightly").status == 0)
        #expect(box.stop() == 0)
    }
}
