import Plan
import SupervisorCore
import Testing

@testable import NexusConfiguration

@Suite(.timeLimit(.minutes(1))) struct ValuesTests {
    @Test(arguments: [
        ("0s", Duration.zero, "0s"), ("100ms", .milliseconds(100), "100ms"), ("30s", .seconds(30), "30s"),
        ("90s", .seconds(90), "90s"), ("1min 30s", .seconds(90), "90s"), ("1h", .seconds(3600), "1h"),
        ("60min", .seconds(3600), "1h"), ("2d", .seconds(172_800), "2d"), ("5us", .microseconds(5), "5us"),
        ("1h1min1s", .seconds(3661), "3661s"),
    ])
    func duration_isReadAndShown(text: String, duration: Duration, shown: String) {
        #expect(DurationText.parse(text) == duration)
        #expect(DurationText.show(duration) == shown)
    }

    @Test(arguments: [
        "", " ", "10", "s", "-1s", "1.5s", "1 s", "1s ", " 1s", "1S", "1m", "1s2", "99999999999999999999s",
        "999999999d",
    ])
    func noDuration_isRefused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [
        ("0", UInt64(0), "0"), ("4096", 4096, "4KiB"), ("64KiB", 65_536, "64KiB"), ("10MB", 10_000_000, "10MB"),
        ("10 MB", 10_000_000, "10MB"), ("2GiB", 2 << 30, "2GiB"), ("1kB", 1000, "1kB"), ("7", 7, "7"),
    ])
    func size_isReadAndShown(text: String, bytes: UInt64, shown: String) {
        #expect(SizeText.parse(text) == bytes)
        #expect(SizeText.show(bytes) == shown)
    }

    @Test(arguments: ["", "MB", "-1", "1.5MB", "10mb", "1XB", "99999999999TiB"]) func noSize_isRefused(text: String) {
        #expect(SizeText.parse(text) == nil)
    }

    @Test(arguments: ["", "5", "5/", "/1s", "+5/1s", "0/1s", "5/0s", "5/1s/1s", "-5/1s", "5_0/1s"])
    func noRate_isRefused(text: String) {
        #expect(RateText.parse(text) == nil)
    }

    @Test(arguments: ["080", "+80", "0", "65536", "", "8 0"]) func noPort_isRefused(port: String) {
        let text = """
            [child.a]
            command = ["/bin/true"]
            sockets = [{ name = "a", listen = "127.0.0.1:\(port)" }]
            """
        #expect(FakeMachine.root.diagnostics(text).contains("the port must be 1 to 65535, found \"\(port)\""))
    }

    @Test func template_keepsDoubledBraces() throws {
        #expect(try Template("a{{b}}c{d.e}f").pieces == [.literal("a{b}c"), .reference("d.e"), .literal("f")])
        #expect(try Template("").pieces == [])
        for bad in ["{", "}", "{a", "a}", "{{}", "{}}"] { #expect(throws: Template.Problem.self) { try Template(bad) } }
    }

    @Test func nearest_forgivesTypingErrorsOnly() {
        let keys = ["command", "restart", "requires", "after", "nice"]
        for (typed, meant) in [
            ("comand", "command"), ("Restart", "restart"), ("requiers", "requires"), ("aftre", "after"),
        ] {
            #expect(Nearest.name(for: typed, among: keys) == meant)
        }
        for typed in ["xyz", "", "environment", "n"] { #expect(Nearest.name(for: typed, among: keys) == nil) }
    }

    /// Unit delays are easy to count by hand; the default is the one that the design rules out.
    @Test func reach_isTheDensestSeries() {
        func most(_ delay: DelayRule, _ window: Duration, _ restart: RestartRule = .always) -> Int {
            Reach.restarts(within: window, policy: ChildPolicy(restart: restart, delay: delay))
        }
        // At 0 after a stable run, then 0.1, 0.3, 0.7, … 51.1 s.
        #expect(most(DelayRule(), .seconds(60)) == 10)
        #expect(most(DelayRule(), .seconds(51)) == 9)
        #expect(most(DelayRule(), .zero) == 1)
        #expect(most(DelayRule(), .seconds(60), .never) == 0)
        // Steady: one each second.
        let steady = DelayRule(first: .seconds(1), cap: .seconds(1), stableAfter: .seconds(1), parkAfter: 1000)
        #expect(most(steady, .seconds(10)) == 11)
        // Parked after two unstable runs, so each second one is a stable run of 10 s: 0, 1, 11, 12, 22 s.
        let short = DelayRule(first: .seconds(1), cap: .seconds(1), stableAfter: .seconds(10), parkAfter: 2)
        #expect(most(short, .seconds(22)) == 5)
        #expect(most(DelayRule(first: .zero, parkAfter: 1000), .seconds(1)) == 1000)
        #expect(most(DelayRule(stableAfter: .milliseconds(1)), .seconds(3600)) == 1002)
    }

    @Test func longChain_isSearchedWithoutRecursion() throws {
        let count = 4000
        var text = ""
        for index in 0..<count {
            text += "[child.c\(index)]\ncommand = [\"/bin/true\"]\nrequires = [\"c\((index + 1) % count)\"]\n"
        }
        var host = FakeMachine()
        host.hardLimits[7] = 1 << 20
        #expect(host.diagnostics(text).contains("… (4000 children)"))
    }

    @Test func tooManyChildren_areRefusedAtTheFirstThatIsTooMany() {
        var machine = FakeMachine()
        machine.hardLimits[7] = 1 << 20
        let text = (0...10_000).map { "child.c\($0).command = [\"true\"]\n" }.joined()
        #expect(
            machine.diagnostics(text) == "Supervisor.toml:10001:7: error: 10001 children; at most 10000 are taken")
    }

    @Test func tooManyDescriptors_areRefusedWithTheSum() {
        var host = FakeMachine()
        host.hardLimits[7] = 110
        let found = host.diagnostics("[child.a]\ncommand = [\"worker\"]\nworker = true\nwatchdog = \"1s\"\n")
        #expect(
            found
                == "Supervisor.toml:1:1: error: nexusd needs 115 file descriptors (32 its own, 64 for clients, 8 for each of 2"
                + " children, 2 for each of 1 workers, 1 for readiness, 0 sockets), the hard limit is 110; raise it (LimitNOFILE= in the"
                + " unit, ulimit -Hn in a shell) or make the tree smaller")
        host.hardLimits[7] = 115
        #expect(host.diagnostics("[child.a]\ncommand = [\"worker\"]\nworker = true\nwatchdog = \"1s\"\n") == "")
    }

    @Test func tooLongSocketPath_isRefused() throws {
        let runtime = "/" + String(repeating: "r", count: 90)
        let text = "[child.web]\ncommand = [\"/bin/true\"]\nready = \"notify\"\n"
        #expect(throws: ConfigurationError.self) {
            try FakeMachine().parse(text + "[child.w2]\ncommand = [\"true\"]\n", runtime: runtime + "rr")
        }
        #expect(throws: Never.self) { try FakeMachine().parse(text, runtime: String(runtime.dropLast())) }
    }

    @Test func unprivilegedInAContainerWithAHigherScore_keepsIt() throws {
        var host = FakeMachine()
        host.oomScoreAdjust = 300
        let plan = try host.parse("[child.web]\ncommand = [\"/bin/true\"]\n").plan
        #expect(plan.children.map(\.oomScoreAdjust) == [300, 300])
        #expect(
            host.diagnostics("[child.web]\ncommand = [\"/bin/true\"]\noom-score-adjust = 0\n").contains("300 to 1000"))
    }

    @Test func logWriterThatIsNotThere_isRefused() {
        var host = FakeMachine()
        host.files["/lib/nexus/log-writer"] = nil
        #expect(host.diagnostics("").contains("'/lib/nexus/log-writer', which comes with nexusd"))
    }
}
