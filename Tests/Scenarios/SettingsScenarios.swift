import Foundation
import Testing

/// Settings of Supervisor.toml from the file to the kernel: nexus-config reads them, nexusd and its child obey, and what comes
/// of it is looked at in /proc, in exit statuses and in the history.
@Suite(.timeLimit(.minutes(2))) struct SettingsScenarios {
    private func touch(_ box: Box, _ name: String) throws {
        try Data().write(to: URL(fileURLWithPath: box.directory + "/" + name))
    }

    /// A child that ends with this code when the box has the file `go`.
    private static func goes(_ code: Int) -> String {
        """
        [child.main]
        command = ["/bin/sh", "-c", "until test -e DIR/go; do sleep 0.05; done; exit \(code)"]
        requires = ["base"]
        restart = "on-failure"
        significant = true
        delay = { park-after = 1, slow-retry = "never" }

        """
    }

    /// A file of /proc of a process.
    private func lines(_ pid: Int32, _ file: String) throws -> [Substring] {
        try String(contentsOfFile: "/proc/\(pid)/\(file)", encoding: .utf8).split(separator: "\n")
    }

    @Test func significantChild_endsTheTreeInOrder_andItsCodeIsNexusds() throws {
        let box = try Box(Self.goes(7) + "[child.base]\ncommand = [\"FIXTURE\", \"serve\"]\nPIDS\n")
        try box.start()
        try box.waitReady()
        let base = try box.wait("base to be executed") { _ in !box.registered().isEmpty }.pid("base")
        try touch(box, "go")
        #expect(box.waitForEnd() == 7, "\(box.errors)")
        #expect(box.errors.contains("main is significant and has ended for good (exit 7)"), "\(box.errors)")
        #expect(base.map(isAlive) == false)
        #expect(try History(box, "base").ends.map(\.cause) == ["asked"])
    }

    @Test func calendarTime_startsItsChildAgainAndAgain_onceATime() throws {
        let box = try Box(
            """
            [child.job]
            command = ["FIXTURE", "exit", "0"]
            schedule = { at = ["*:*:*"] }
            """)
        let begun = Date()
        try box.start()
        try box.wait("three runs") { _ in try History(box, "job").ends.count >= 3 }
        let ends = try History(box, "job").ends
        #expect(ends.allSatisfy { $0.cause == "done" && $0.exit == "exit 0" }, "\(ends)")
        // A run each second at the most, whoever was late: both clocks are rounded to a millisecond.
        let seconds = ends[ends.count - 1].began.timeIntervalSince(begun)
        #expect(Double(ends.count) <= seconds + 1.01, "\(ends)")
        let why = try box.ctl("why", "job").output
        #expect(why.contains("child.job.schedule.at, \(box.config):3"), "\(why)")
        #expect(box.stop() == 0)
    }

    @Test func limitsMaskAndNiceness_areTheProcesssOwn() throws {
        let box = try Box(
            """
            [child.bound]
            command = ["/bin/sleep", "1000"]
            limits = { nofile = "77:78", core = 0 }
            umask = "0027"
            nice = 7
            oom-score-adjust = 321
            """)
        try box.start()
        try box.waitReady()
        let pid = try #require(box.status().pid("bound"))
        func limit(_ name: String) throws -> [Substring] {
            let line = try #require(lines(pid, "limits").first { $0.hasPrefix(name) })
            return line.dropFirst(name.count).split(separator: " ").prefix(2).map { $0 }
        }
        #expect(try limit("Max open files") == ["77", "78"])
        #expect(try limit("Max core file size") == ["0", "0"])
        #expect(try lines(pid, "status").contains("Umask:\t0027"))
        #expect(try lines(pid, "oom_score_adj") == ["321"])
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(pid)) == 7)
        #expect(box.stop() == 0)
    }

    @Test(.enabled(if: getuid() == 0, "only root can give a child another uid"))
    func userGroupsAndCapabilities_areWhatTheFileSays_andNoMore() throws {
        let box = try Box(
            """
            [child.guest]
            command = ["/bin/sleep", "1000"]
            user = "54321"
            group = "54322"
            supplementary-groups = ["65530", "65531"]
            capabilities = { ambient = ["NET_BIND_SERVICE"] }
            [child.plain]
            command = ["/bin/sleep", "1000"]
            user = "54321"
            group = "54322"
            """)
        try box.start()
        try box.waitReady()
        func rights(_ child: String) throws -> [String: String] {
            let keys = ["Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"]
            let fields = try lines(#require(box.status().pid(child)), "status").map { $0.split(separator: ":") }
            return Dictionary(
                fields.filter { keys.contains(String($0[0])) }.map { field in
                    let words = field.dropFirst().joined().split { " \t".contains($0) }
                    return (String(field[0]), words.joined(separator: " "))
                }, uniquingKeysWith: { $1 })
        }
        let (none, bind) = ("0000000000000000", "0000000000000400")
        func expected(_ capabilities: String, groups: String) -> [String: String] {
            [
                "Uid": "54321 54321 54321 54321", "Gid": "54322 54322 54322 54322", "Groups": groups,
                "CapPrm": capabilities, "CapEff": capabilities, "CapBnd": capabilities, "CapAmb": capabilities,
                "NoNewPrivs": "1",
            ]
        }
        #expect(try rights("guest") == expected(bind, groups: "65530 65531"))
        #expect(try rights("plain") == expected(none, groups: "54322"))
        #expect(box.stop() == 0)
    }

    @Test func childThatHasGrown_isRecycled_andNothingIsCounted() throws {
        let box = try Box(
            """
            [child.grown]
            command = ["FIXTURE", "grow", "64"]
            memory = { recycle = "32MiB", recycle-within = "0s" }
            delay = { stable-after = "50ms" }
            """)
        try box.start()
        let first = try box.wait("its first run") { $0.pid("grown") != nil }.pid("grown")
        let status = try box.wait("a run in its place") {
            $0.child("grown")?.lastEnd?.cause == "recycled" && $0.child("grown")?.state == "ready"
        }
        #expect(status.pid("grown") != first)
        #expect(status.child("grown")?.restarts == 0 && status.child("grown")?.unstableRuns == 0)
        #expect(try History(box, "grown").ends.first?.cause == "recycled")
        #expect(box.stop() == 0)
    }

    /// Beside each stands one with the same timeout that does not ask.
    @Test func childThatAsksForMoreTime_hasIt_atItsStartAndAtItsStop() throws {
        let box = try Box(
            """
            [child.patient]
            command = ["FIXTURE", "extend", "20000000", "DIR/up", "DIR/down"]
            ready = "notify"
            start-timeout = "3s"
            stop-timeout = "3s"
            [child.strict]
            command = ["FIXTURE", "never-ready"]
            ready = "notify"
            start-timeout = "3s"
            restart = "never"
            [child.deaf]
            command = ["FIXTURE", "ignore-term"]
            stop-timeout = "3s"
            PIDS
            """)
        try box.start()
        let late = try box.wait("the end of the one that does not ask") { $0.child("strict")?.lastEnd != nil }
        #expect(late.child("strict")?.lastEnd?.cause == "probe")
        #expect(late.child("patient")?.state == "starting" && late.child("patient")?.lastEnd == nil)
        try touch(box, "up")
        let run = try box.wait("the one that asks") { $0.child("patient")?.state == "ready" }.child("patient")?.run
        #expect(run == late.child("patient")?.run)
        let deaf = try #require(box.wait("a deaf child") { _ in !box.registered().isEmpty }.pid("deaf"))
        box.signal(SIGTERM)
        while isAlive(deaf) { usleep(2000) }
        try touch(box, "down")
        #expect(box.waitForEnd() == 0)
        #expect(try History(box, "deaf").ends.last?.exit == "signal 9 (KILL)")
        #expect(try History(box, "patient").ends.map(\.exit) == ["exit 0"])
    }

    private static let canUnshare = getuid() == 0 && system("unshare --pid --fork --mount-proc true 2>/dev/null") == 0

    @Test(.enabled(if: canUnshare, "needs root and unshare(1)"))
    func firstProcessOfAContainer_reapsOrphans_andEndsAsItsSignificantChild() throws {
        let box = try Box(
            Self.goes(9) + """
                [child.base]
                command = ["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do (true &); done; >DIR/made; exec sleep 1000"]
                """)
        box.launcher = ["/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        try box.start()
        try box.waitReady()
        #expect(try box.status().pid == 1)
        func children(_ pid: Int32) -> [Int32] {
            let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
            return (text ?? "").split(separator: " ").compactMap { Int32($0) }
        }
        let nexusd = try #require(children(box.pid).first)
        try box.wait("orphans, and their end") { _ in
            FileManager.default.fileExists(atPath: box.directory + "/made") && children(nexusd).allSatisfy(isAlive)
        }
        try touch(box, "go")
        #expect(box.waitForEnd() == 9, "\(box.errors)")
    }

    @Test func treeWithoutACgroup_saysWhatItCanPromise_andWhy() throws {
        let box = try Box("[child.a]\ncommand = [\"FIXTURE\", \"serve\"]\n")
        // A directory, and no cgroup.
        try box.start(environment: ["NEXUS_CGROUP": box.directory])
        try box.waitReady()
        let status = try box.status()
        #expect(status.guarantee == "whole tree only")
        let table = try box.ctl("status").output
        #expect(table.contains("containment: whole tree only"), "\(table)")
        #expect(table.contains(box.directory), "\(table)")
        #expect(try box.ctl("why", "a").output.contains("contains whole tree only"))
        #expect(box.stop() == 0)
    }
}
