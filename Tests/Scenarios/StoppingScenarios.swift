import Foundation
import Testing

/// Stopped means empty, whatever the children do. Without a delegated cgroup only the whole tree is exact.
@Suite(.timeLimit(.minutes(2))) struct StoppingScenarios {
    private func stopAll(_ verb: String, stopTimeout: String = "300ms", roles: Set<String>) throws {
        let box = try Box(
            """
            [child.bad]
            command = ["FIXTURE", \(verb.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", "))]
            stop-timeout = "\(stopTimeout)"
            PIDS
            [child.good]
            command = ["FIXTURE", "serve"]
            PIDS
            """)
        try box.start()
        try box.waitReady()
        try box.wait("every process of \(verb) to exist") { _ in Set(box.registered().map(\.role)).isSuperset(of: roles)
        }
        let began = ContinuousClock.now
        #expect(box.stop() == 0)
        #expect(ContinuousClock.now - began < .seconds(8))
        for (role, pid) in box.registered() { #expect(!isAlive(pid), "\(role) \(pid) is still alive") }
    }

    @Test func childIgnoresTerm_isKilledAfterItsTimeout() throws { try stopAll("ignore-term", roles: ["main"]) }

    @Test func childIsStoppedBySignal_isKilled() throws { try stopAll("freeze", roles: ["main"]) }

    @Test func grandchildInOwnSession_isEnded() throws { try stopAll("setsid-child", roles: ["main", "session"]) }

    @Test func daemonisedGrandchild_isEnded() throws { try stopAll("double-fork", roles: ["main", "daemon"]) }

    @Test func daemonWithEmptyEnvironment_isEndedAtShutdown() throws {
        try stopAll("double-fork clean", roles: ["main", "daemon"])
    }

    @Test func orphansAndZombies_areReaped() throws { try stopAll("zombies 200", roles: ["main"]) }

    @Test func leaderExits_restOfItsRunIsKilledBeforeTheReplacement() throws {
        let box = try Box(
            """
            [child.bad]
            command = ["FIXTURE", "leader-exits", "1"]
            delay = { first = "50ms", cap = "50ms", park-after = 4, slow-retry = "never" }
            PIDS
            """)
        try box.start()
        try box.wait("parking after 4 unstable runs") { $0.child("bad")?.state == "parked" }
        for (role, pid) in box.registered() { #expect(!isAlive(pid), "\(role) \(pid) outlived its run") }
        #expect(box.registered().filter { $0.role == "main" }.count == 4)
        #expect(box.stop() == 0)
    }

    @Test func stopOrder_isReverseOfDependence_logWriterLast() throws {
        let box = try Box(
            """
            [child.base]
            command = ["FIXTURE", "serve"]
            [child.middle]
            command = ["FIXTURE", "serve"]
            requires = ["base"]
            [child.top]
            command = ["FIXTURE", "serve"]
            after = ["middle"]
            """)
        try box.start()
        try box.waitReady()
        let feed = try box.begin("events", "-f", "--json")
        // Whoever hears the audit of a command hears everything after it.
        try box.wait("the feed to hear something") { _ in
            try box.ctl("restart", "top").status == 0 && !feed.output.isEmpty
        }
        #expect(box.stop() == 0)
        let lines = try feed.wait().output.split(separator: "\n")
        let ended = lines.drop { !$0.contains("SIGTERM") && !$0.contains("(TERM) from") }.filter {
            $0.contains(" ended after ")
        }
        let order = ["top", "middle", "base", "log-writer"].map { name in
            ended.firstIndex { $0.contains("\"child\":\"\(name)\"") }
        }
        #expect(order.allSatisfy { $0 != nil }, "\(lines)")
        #expect(order.compactMap { $0 } == order.compactMap { $0 }.sorted(), "\(lines)")
    }

    /// log-writer's own end is in the book like those of all others: nobody says of it that nexusd had died.
    @Test func ordinaryEnd_leavesNoRunWithoutAnEnd() throws {
        let box = try Box(
            """
            [child.a]
            command = ["FIXTURE", "serve"]
            [child.b]
            command = ["FIXTURE", "serve"]
            """)
        for _ in 0..<5 {
            try box.start()
            try box.waitReady()
            #expect(box.stop() == 0)
        }
        let book = try String(contentsOfFile: box.state + "/logs/runs", encoding: .utf8)
        let lines = book.split(separator: "\n").map { $0.split(separator: " ") }
        let begun = lines.filter { $0[2] == "starting" }.map { $0[1] }
        #expect(begun.count == 15 && Set(begun) == Set(lines.filter { $0[2] == "ended" }.map { $0[1] }), "\(book)")
        #expect(!book.contains("supervisor died"), "\(book)")
    }

    @Test func secondTerm_cutsEveryTimeout() throws {
        let box = try Box(
            """
            [child.bad]
            command = ["FIXTURE", "ignore-term"]
            stop-timeout = "10min"
            PIDS
            """)
        try box.start()
        try box.waitReady()
        box.signal(SIGTERM)
        try box.wait("the tree to be stopping") { $0.state == "stopping" }
        box.signal(SIGTERM)
        #expect(box.waitForEnd(.seconds(10)) == 0)
        for (_, pid) in box.registered() { #expect(!isAlive(pid)) }
    }

    @Test func nexusdIsKilled_nextStartEndsWhatIsLeft_andKnowsNothingOfOldLocks() throws {
        let box = try Box(
            """
            [child.a]
            command = ["FIXTURE", "serve"]
            PIDS
            [child.deaf]
            command = ["FIXTURE", "ignore-term"]
            ready = { log-line = "ignoring SIGTERM" }
            stop-timeout = "300ms"
            PIDS
            [child.parent]
            command = ["FIXTURE", "setsid-child"]
            stop-timeout = "300ms"
            PIDS
            """)
        try box.start()
        try box.waitReady()
        try box.wait("every process") { _ in box.registered().count == 4 }
        box.signal(SIGKILL)
        #expect(box.waitForEnd() == -SIGKILL)
        let left = box.registered()
        // Nobody but nexusd ends them; two are deaf to SIGTERM.
        for (role, pid) in left { #expect(isAlive(pid), "\(role) \(pid) went with nexusd: it is nobody's left-over") }
        try box.start()
        try box.waitReady()
        for (role, pid) in left { #expect(!isAlive(pid), "\(role) \(pid) outlived the next start") }
        try box.wait("every process of the new life") { _ in box.registered().count == 8 }
        #expect(box.stop() == 0)
    }
}
