import CNexus
import Foundation
import Testing

/// When there is no process and no descriptor to be had, who has one is served on; numbers that come again hit nobody.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScarcityScenarios {
    /// A PID namespace in which numbers are so few that each comes again within a moment. From pid 300 on they go round.
    private static let fewNumbers = [
        "/usr/bin/unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c",
        "echo 420 >/proc/sys/kernel/pid_max && exec \"$@\"", "sh",
    ]
    /// That is allowed, and the kernel has such a bound for each namespace (Linux 6.14).
    private static let hasFewNumbers: Bool = {
        guard getuid() == 0 else { return false }
        let words = Array(fewNumbers.dropFirst()) + ["/bin/cat", "/proc/sys/kernel/pid_max"]
        let inside = try? run(fewNumbers[0], words)
        let outside = try? String(contentsOfFile: "/proc/sys/kernel/pid_max", encoding: .utf8)
        return inside?.output == "420\n" && outside != "420\n"
    }()

    /// SIGTERM to nexusd itself, the only child of unshare(1).
    private func stop(_ box: Box) throws -> Int32? {
        let children = try String(contentsOfFile: "/proc/\(box.pid)/task/\(box.pid)/children", encoding: .utf8)
        let nexusd = try #require(children.split(separator: " ").first.flatMap { Int32($0) })
        kill(nexusd, SIGTERM)
        return box.waitForEnd()
    }

    @Test(.enabled(if: hasFewNumbers, "needs root, and Linux 6.14 for pid_max of a namespace"))
    func numbersThatComeAgainAtOnce_areNeverSignalled() throws {
        let box = try Box(
            Bystanders.tables + """
                [child.storm]
                command = ["FIXTURE", "spawn-storm", "DIR/spawned"]
                enabled = false
                [child.leaver]
                command = ["FIXTURE", "leader-exits", "1"]
                delay = { first = "1ms", cap = "1ms", park-after = 1000 }
                enabled = false
                """)
        box.launcher = Self.fewNumbers
        let bystanders = try Bystanders(box)
        try bystanders.start()
        try box.ctl("start", "storm", "--no-wait")
        try box.ctl("start", "leaver", "--no-wait")
        try bystanders.endure("PIDs that come again at once, runs that leave others behind")
        let status = try box.status()
        let words = try box.ctl("logs", "storm").output
        #expect(status.child("storm")?.restarts == 0, "\(words)")
        let counter = try Data(contentsOf: URL(fileURLWithPath: box.directory + "/spawned"))
        let spawned = counter.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
        let swept = status.child("leaver")?.restarts ?? 0
        print("timing: \(spawned) processes took turns on 120 numbers while \(swept) runs were swept")
        // Each number came again at least once; how often is the machine's speed.
        #expect(spawned > 240 && swept > 5)
        #expect(try stop(box) == 0)
        try bystanders.expectNoLineMissing()
    }

    @Test(.enabled(if: hasFewNumbers, "needs root, and Linux 6.14 for pid_max of a namespace"))
    func noProcessToBeHad_commandsAreObeyed_andAllIsBackAfterwards() throws {
        let box = try Box(
            Bystanders.tables + """
                [child.hoard]
                command = ["FIXTURE", "hoard"]
                enabled = false
                stop-timeout = "1s"
                PIDS
                """)
        box.launcher = Self.fewNumbers
        let bystanders = try Bystanders(box)
        try bystanders.start()
        try box.ctl("start", "hoard", "--no-wait")
        try box.wait("the hoard to have them all") { _ in box.registered().contains { $0.role == "full" } }
        try bystanders.endure("no process to be had", restarts: false)
        let why = try box.ctl("why", "phoenix").output
        #expect(why.contains("EAGAIN") && why.contains("for a reason that may pass by itself"), "\(why)")
        // It is stopped; only for a run of nexus-config, which would keep that for the next life, there is no process.
        let stopped = try box.ctl("stop", "hoard")
        #expect(
            stopped.status == 0 || stopped.errors.contains("it is so, but only while this nexusd lives"), "\(stopped)")
        #expect(try box.status().child("hoard")?.state == "off")
        // A try each millisecond: on a slow machine its thousand were over, which parks it until somebody asks for it.
        if try box.status().child("phoenix")?.state == "parked" { try box.ctl("start", "phoenix") }
        try box.waitReady()
        try bystanders.endure("the same, after its end")
        #expect(try stop(box) == 0)
        try bystanders.expectNoLineMissing()
    }

    @Test func noDescriptorToBeHad_whoRunsIsServed_andAllIsBackAfterwards() throws {
        let box = try Box(Bystanders.tables)
        let bystanders = try Bystanders(box)
        try bystanders.start()
        let used = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(box.pid)/fd").count
        let limit = try String(contentsOfFile: "/proc/\(box.pid)/limits", encoding: .utf8)
        let before = try #require(limit.firstMatch(of: #/Max open files +(\d+) /#)?.1)
        // nexusd starts no tree that needs more than it may have, so it is taken from it afterwards.
        try bound("10", of: box)
        try bystanders.endure("no descriptor to be had", restarts: false, answers: false)
        // Whoever asks meanwhile waits until there is one again.
        let patient = try box.begin("status", "--json")
        #expect(patient.waitForEnd(.milliseconds(200)) == nil, "\(patient.output)")
        try bound(String(before), of: box)
        let answer = try patient.wait()
        #expect(answer.status == 0, "\(answer)")
        try box.wait("the phoenix to run") { $0.child("phoenix")?.state == "ready" }
        try bystanders.endure("the same, after its end")
        let now = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(box.pid)/fd").count
        #expect(now <= used + 4, "\(used) descriptors before, \(now) after")
        #expect(box.stop() == 0)
        try bystanders.expectNoLineMissing()
    }

    /// The soft limit of descriptors, while it runs.
    private func bound(_ limit: String, of box: Box) throws {
        let answer = try run("/usr/bin/prlimit", ["--pid", "\(box.pid)", "--nofile=\(limit):"])
        guard answer.status == 0 else { throw Trouble("prlimit: \(answer.errors)") }
    }
}
