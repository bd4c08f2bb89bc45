import Foundation
import Testing

/// `status`, `why`, `doctor` and `history` about a box in which everything goes wrong at once: each names what really
/// governs it, with the line of the file.
@Suite(.timeLimit(.minutes(2))) struct WhyScenarios {
    private static let slow = #"delay = { first = "1h", cap = "1h" }"#

    private static func config(_ port: UInt16) -> String {
        """
        [group.g]
        children = ["flappy", "mate"]
        intensity = { restarts = 2, window = "1min" }
        [child.flappy]
        command = ["FIXTURE", "exit", "1"]
        delay = { first = "10ms", cap = "20ms" }
        [child.mate]
        command = ["FIXTURE", "serve"]
        [child.hog]
        command = ["FIXTURE", "grow", "64"]
        memory = { max = "20MiB" }
        \(slow)
        [child.dog]
        command = ["FIXTURE", "serve"]
        watchdog = "300ms"
        \(slow)
        [child.alive]
        command = ["FIXTURE", "serve"]
        liveness = { exec = ["/bin/false"], interval = "50ms", misses = 2 }
        \(slow)
        [child.late]
        command = ["FIXTURE", "serve"]
        ready = "notify"
        start-timeout = "100ms"
        \(slow)
        [child.starts]
        command = ["FIXTURE", "serve"]
        ready = "notify"
        start-timeout = "1h"
        [child.needs]
        command = ["FIXTURE", "serve"]
        requires = ["starts"]
        [child.nonet]
        command = ["FIXTURE", "exit", "68"]
        \(slow)
        [child.background]
        command = ["FIXTURE", "exit", "0"]
        [child.job]
        command = ["/bin/sh", "-c", "echo no space left; exit 5"]
        schedule = { every = "1h" }
        [child.long]
        command = ["FIXTURE", "serve"]
        schedule = { every = "1s" }
        [child.sock]
        command = ["FIXTURE", "serve"]
        sockets = [{ name = "web", listen = "127.0.0.1:\(port)" }]
        [child.sec]
        command = ["FIXTURE", "serve"]
        secrets = ["token"]
        [secret.token]
        file = "DIR/token"
        [child.second]
        command = ["/bin/sh", "-c", "test -e $0 && exec FIXTURE serve; touch $0; exit 6", "DIR/second"]
        schedule = { every = "1s" }
        """
    }

    /// A box in which all of that has come to be, and the port that is taken.
    private func box() throws -> (Box, TakenPort) {
        let taken = try TakenPort()
        let box = try Box(Self.config(taken.port))
        try "a-secret-value".write(toFile: box.directory + "/token", atomically: true, encoding: .utf8)
        chmod(box.directory + "/token", 0o600)
        try box.start()
        // It was there when the file was read, and is not when the child is started anew.
        try FileManager.default.removeItem(atPath: box.directory + "/token")
        #expect(try box.ctl("restart", "sec", "--no-wait").status == 0)
        let states = [
            "flappy": "parked", "mate": "parked", "hog": "delayed", "dog": "delayed", "alive": "delayed",
            "late": "delayed", "starts": "starting", "needs": "waiting", "nonet": "delayed", "background": "parked",
            "job": "scheduled", "long": "ready", "second": "ready", "sock": "parked", "sec": "parked",
        ]
        try box.wait("every state") { status in states.allSatisfy { status.child($0)?.state == $1 } }
        return (box, taken)
    }

    private struct Expected {
        let child: String
        let says: [String]

        init(_ child: String, _ says: String...) {
            self.child = child
            self.says = says
        }
    }

    private func governed(_ box: Box, _ port: UInt16) -> [Expected] {
        let file = box.config
        return [
            Expected(
                "flappy", "more than 2 restarts within 60 s in group g", "next     one try in 15 min",
                "group.g.intensity.restarts = 2, \(file):3", "group.g.slow-retry = 15min, the default"),
            Expected("mate", "because of flappy", "group.g.intensity.window = 1min, \(file):3"),
            Expected("hog", "`memory.max`", "child.hog.memory.max = 20MiB, \(file):11"),
            Expected("dog", "no WATCHDOG=1 came for 300 ms", "child.dog.watchdog = 300ms, \(file):15"),
            Expected(
                "alive", "2 misses in a row, the last: ", "child.alive.liveness.misses = 2, \(file):19",
                "child.alive.liveness.interval = 50ms, \(file):19", "liveness.timeout = 2s, the default"),
            Expected(
                "late", "it waited for READY=1 on its notify socket", "child.late.start-timeout = 100ms, \(file):24"),
            Expected("starts", "waits for READY=1 on its notify socket", "child.starts.start-timeout = 1h, \(file):29"),
            Expected("needs", "waits for starts, which is starting", "child.needs.requires = [\"starts\"], \(file):32"),
            Expected("nonet", "no network", "child.nonet.exits.network = [68], the default"),
            Expected("background", "cause config", "child.background.restart = always, the default"),
            Expected("job", "no space left", "next     its next run in", "child.job.schedule.every = 1h, \(file):40"),
            Expected("long", "it ran still", "child.long.schedule.every = 1s, \(file):43"),
            Expected(
                "sock", "cannot listen on 127.0.0.1:\(port): Address already in use (EADDRINUSE)",
                "take another address", "child.sock.sockets = 127.0.0.1:\(port), called 'web', \(file):46"),
            Expected(
                "sec", "\(box.directory)/token: No such file or directory (ENOENT)", "make the file",
                "secret.token.file = \(box.directory)/token, \(file):51"),
            Expected("log-writer", "is built in", "never: others need it"),
        ]
    }

    @Test func everyReason_isNamedWithItsKeyAndLine_inWhyAndInStatus() throws {
        let (box, taken) = try box()
        for expected in governed(box, taken.port) {
            let why = try box.ctl("why", expected.child)
            #expect(why.status == 0)
            for part in expected.says { #expect(why.output.contains(part), "\(part) is not in:\n\(why.output)") }
        }
        let isKept = try !box.status().notes.contains { $0.hasPrefix("memory.max of hog is not kept by the kernel") }
        #expect(try box.ctl("why", "hog").output.contains(isKept ? "the kernel killed it" : "nexusd killed it"))
        let table = try box.ctl("status").output
        for part in [
            "EADDRINUSE", "127.0.0.1:\(taken.port)", "ENOENT", "\(box.directory)/token",
            "its group is parked because of flappy",
            "watchdog: no WATCHDOG=1 came for 300 ms", "waits for starts, which is starting", "it ran still",
        ] {
            #expect(table.contains(part), "\(part) is not in:\n\(table)")
        }
        #expect(box.stop() == 0)
    }

    @Test func oneEnd_hasOneCause_everywhere() throws {
        let (box, _) = try box()
        #expect(try box.status().child("background")?.cause == "config")
        #expect(try box.status().child("background")?.lastEnd?.cause == "config")
        #expect(try box.ctl("history", "background").output.contains("config"))
        let metrics = try box.ctl("metrics").output
        #expect(metrics.contains(#"child="background",cause="config"} 1"#), "\(metrics)")
        #expect(box.stop() == 0)
    }

    /// A script, and a program that was built for another C library: execve(2) says of both what it says of no file.
    @Test func missingInterpreterOrLoader_isNamed_inWordsAndInJSON() throws {
        let box = try Box(
            "[child.script]\ncommand = [\"DIR/script\"]\n[child.elf]\ncommand = [\"DIR/elf\"]\n")
        try "#!/no-such/sh -e\n".write(toFile: box.directory + "/script", atomically: true, encoding: .utf8)
        var program = try Data(contentsOf: URL(fileURLWithPath: "/bin/true"))
        let place = try #require(program.firstRange(of: Data("/ld-".utf8)))
        program.replaceSubrange(place, with: Data("/no-".utf8))
        try program.write(to: URL(fileURLWithPath: box.directory + "/elf"))
        for name in ["script", "elf"] { chmod(box.directory + "/" + name, 0o755) }
        try box.start()
        try box.wait("both parked") { status in
            ["script", "elf"].allSatisfy { status.child($0)?.state == "parked" }
        }
        func why(_ child: String) throws -> (words: String, missing: String?) {
            let answer = Data(try box.ctl("why", child, "--json").output.utf8)
            let json = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
            #expect((json?["child"] as? [String: Any])?["name"] as? String == child)
            return (try box.ctl("why", child).output, json?["missing_interpreter"] as? String)
        }
        let script = try why("script")
        #expect(script.missing == "/no-such/sh")
        #expect(script.words.contains("/no-such/sh, which it names to carry it out, is not"), "\(script.words)")
        let elf = try why("elf")
        #expect(elf.missing?.contains("/no-") ?? false, "\(elf.missing ?? "nil")")
        #expect(elf.words.contains("\(elf.missing ?? ""), the loader that it was built for, is not"), "\(elf.words)")
        #expect(box.stop() == 0)
    }

    /// It is tried for ever and counted as nothing, but it does not serve.
    @Test func childWithoutNetwork_isFoundByDoctor() throws {
        let box = try Box(
            "[child.net]\ncommand = [\"FIXTURE\", \"exit\", \"68\"]\ndelay = { first = \"40ms\", cap = \"1h\" }\n")
        try box.start()
        try box.wait("a long delay") { status in
            status.child("net").map { $0.state == "delayed" && $0.restarts > 5 } ?? false
        }
        let doctor = try box.ctl("doctor").output
        #expect(doctor.contains("net finds no network: network: exit 68"), "\(doctor)")
        #expect(doctor.contains("nexusctl why net") && !doctor.contains("none is parked"), "\(doctor)")
        #expect(box.stop() == 0)
    }

    @Test func failingJob_isBadForDoctor_andItsRunsAreNoRestarts() throws {
        let (box, _) = try box()
        let doctor = try box.ctl("doctor")
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("job failed in its last run: crash: exit 5"))
        #expect(doctor.output.contains("second failed in its last run: crash: exit 6"), "\(doctor)")
        #expect(try box.status().child("second")?.cause == "crash", "its next run is there, and has not succeeded")
        #expect(try box.ctl("why", "second").output.contains("its last run failed: crash: exit 6"))
        #expect(!doctor.output.contains("opencode"), "nothing in this tree is about it")
        let before = try box.status().child("job")?.lastEnd?.run
        #expect(try box.ctl("start", "job", "--no-wait").status == 0)
        try box.wait("the second failure") { status in
            status.child("job").map { $0.state == "scheduled" && $0.lastEnd?.run != before } ?? false
        }
        #expect(try box.ctl("doctor").output.contains("job failed in its last run"))
        #expect(try box.status().child("job")?.restarts == 0)
        #expect(box.stop() == 0)
    }

    /// Of a run that somebody wished to end nothing has to be understood: the next one's lines, as soon as there are some.
    @Test func lastLines_areOfTheRunThatIsMeant_andSayOfWhich() throws {
        let box = try Box(
            """
            [child.a]
            command = ["/bin/sh", "-c", "[ -e DIR/quiet ] || echo I am $NEXUS_RUN_ID; exec sleep 1000"]
            delay = { first = "10ms" }
            """)
        try box.start()
        func run() throws -> String { try #require(try box.status().child("a")?.run) }
        func waitWhy(_ run: String, _ which: String) throws {
            try box.wait("the lines of \(run)") { _ in
                let why = try box.ctl("why", "a").output
                return why.contains("its last lines, of run \(run), which \(which):\n    I am \(run)\n")
            }
        }
        try box.waitReady()
        let first = try run()
        try waitWhy(first, "is there now")
        #expect(try box.ctl("restart", "a").status == 0)
        let second = try run()
        try waitWhy(second, "is there now")
        try "".write(toFile: box.directory + "/quiet", atomically: true, encoding: .utf8)
        #expect(try box.ctl("restart", "a").status == 0)
        #expect(try run() != second)
        try waitWhy(second, "ended")
        // It ended by itself: that is what is asked about.
        try FileManager.default.removeItem(atPath: box.directory + "/quiet")
        #expect(try box.ctl("restart", "a").status == 0)
        let crashed = try run()
        try waitWhy(crashed, "is there now")
        kill(try #require(try box.status().pid("a")), SIGKILL)
        try box.wait("the run after it") { $0.child("a")?.state == "ready" && $0.child("a")?.run != crashed }
        try waitWhy(crashed, "ended")
        #expect(box.stop() == 0)
    }
}

/// A port of this machine on which this test listens.
private final class TakenPort {
    let port: UInt16
    private let fd: Int32

    init() throws {
        (fd, port) = try LoopbackPort.bound()
        guard listen(fd, 1) == 0 else { throw Trouble("cannot listen on \(port): errno \(errno)") }
    }

    deinit { close(fd) }
}
