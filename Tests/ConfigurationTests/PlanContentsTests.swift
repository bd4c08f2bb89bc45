import Foundation
import Plan
import SupervisorCore
import Testing
import Wire

@testable import NexusConfiguration

/// What the good files mean.
@Suite(.timeLimit(.minutes(1))) struct PlanContentsTests {
    @Test func memory_isToldFromDisks() {
        // Linux mounts a tmpfs there (shm_overview(7)); what does not exist is looked at above.
        #expect(LiveMachine().isInMemory("/dev/shm"))
        #expect(LiveMachine().isInMemory("/dev/shm/no/such/directory"))
        #expect(!LiveMachine().isInMemory("/proc/self"))
    }

    @Test func secretsOnADisk_areNoted() throws {
        let text =
            "[secret.token]\nfile = \"/etc/nexus/token\"\n[child.a]\ncommand = [\"/bin/true\"]\nsecrets = [\"token\"]\n"
        let onDisk = try FakeMachine().parse(text, runtime: "/home/ann/state/run").plan.notes
        #expect(onDisk.count == 1 && onDisk[0].contains("/home/ann/state/run is on no tmpfs"))
        #expect(try FakeMachine().parse(text, runtime: "/run/user/1000/nexus").plan.notes.isEmpty)
        let without = try FakeMachine().parse("[child.a]\ncommand = [\"/bin/true\"]\n", runtime: "/home/ann/run")
        #expect(!without.plan.notes.contains { $0.contains("tmpfs") })
    }

    /// `nexusctl update` leads the link elsewhere; the plan stays the same.
    @Test func acceptedCopy_goesBeforeASearch_andBehindNexusOwn() throws {
        let link = "/var/lib/nexus/programs/"
        var host = FakeMachine()
        for name in ["env", "worker"] {
            host.files["\(link)\(name)/current/\(name)"] = FileStatus(kind: .regular, mode: 0o755, owner: 0, group: 0)
        }
        func executable(_ command: String) throws -> String? {
            let text = "[child.a]\ncommand = [\"\(command)\"]\nenvironment = { PATH = \"/usr/bin\" }\n"
            return try host.parse(text).plan.children.first { $0.name == "a" }?.executable
        }
        #expect(try executable("env") == link + "env/current/env")
        #expect(try executable("/usr/bin/env") == "/usr/bin/env")
        #expect(try executable("worker") == "/lib/nexus/worker")
        // Whoever else could change it is root at the next start.
        var root = FakeMachine.root
        root.files[link + "env/current/env"] = FileStatus(kind: .regular, mode: 0o755, owner: 33, group: 0)
        #expect(root.diagnostics("[child.a]\ncommand = [\"env\"]\n").contains("belongs to uid 33"))
    }

    @Test func uidOfAnotherChild_isKnown() throws {
        let text = """
            [child.agent]
            command = ["/bin/true"]
            user = "web"
            [child.stranger]
            command = ["/bin/true"]
            user = "54321"
            group = "54321"
            [child.asker]
            command = ["/bin/true"]
            environment = { ITS = "{agent.uid}", STRANGE = "{stranger.uid}", OURS = "{asker.uid}" }
            """
        let plan = try FakeMachine.root.parse(text).plan
        let web = try #require(FakeMachine.users.first { $0.name == "web" }).id
        let environment = plan[id(plan, "asker")].environment
        #expect(environment.suffix(3).map { $0.value.literal ?? "" } == [String(web), "54321", "0"])
    }

    @Test func order_isThatOfTheFile() throws {
        let plan = try good("order")
        #expect(plan.children.map(\.name) == ["log-writer", "zebra", "mouse", "ant", "bee"])
        #expect(plan.groups.map(\.name) == ["zoo", "ark"])
        #expect(plan.groups[0].policy.children == [id(plan, "zebra"), id(plan, "ant")])
        #expect(plan[id(plan, "ant")].environment.suffix(2).map(\.name) == ["Z", "A"])
        #expect(plan[id(plan, "bee")].policy.group == nil)
    }

    @Test func minimalChild_hasTheDefaultsOfTheDesign() throws {
        let plan = try good("minimal")
        let child = plan[id(plan, "web")]
        #expect(child.policy == ChildPolicy())
        #expect(child.executable == "/bin/true")
        #expect(child.arguments == [Text("true")])
        #expect(child.directory == "/")
        #expect(child.identity == nil)
        #expect(child.umask == 0o077 && child.noNewPrivileges && child.nice == 0 && child.oomScoreAdjust == 0)
        #expect(child.pidFile == "web.pid")
        #expect(child.log == LogPlan())
        #expect(
            child.environment.map { "\($0.name)=\($0.value.literal ?? "")" } == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/home/ann", "USER=ann",
                "LOGNAME=ann", "SHELL=/bin/sh", "LANG=C.UTF-8", "TMPDIR=/var/lib/nexus/tmp/web",
            ])
        #expect(!plan.supervisor.uidWall)
    }

    @Test func accountThatNobodyLogsInAs_hasAShellForItsTools() throws {
        let plan = try FakeMachine.root.parse("[child.a]\ncommand = [\"/bin/true\"]\nuser = \"web\"").plan
        let shell = plan[id(plan, "a")].environment.first { $0.name == "SHELL" }
        #expect(shell?.value.literal == "/bin/sh")
    }

    @Test func stringThatExecveRefuses_isRefusedAtItsPlace() {
        let limit = 131_071
        func words(_ name: String, _ bytes: Int) -> String {
            "\(name) takes \(bytes) bytes; the kernel takes \(limit) for one argument or variable (execve(2)):"
                + " put it into a file"
        }
        func long(_ count: Int) -> String { String(repeating: "x", count: count) }
        let host = FakeMachine()
        #expect(host.diagnostics("[child.a]\ncommand = [\"/bin/true\", \"\(long(limit))\"]") == "")
        #expect(
            host.diagnostics("[child.a]\ncommand = [\"/bin/true\",\n  \"\(long(limit + 1))\"]")
                == "Supervisor.toml:3:3: error: \(words("'command'", limit + 1))")
        let environment = "[child.a]\ncommand = [\"/bin/true\"]\nenvironment.BIG = "
        #expect(host.diagnostics(environment + "\"\(long(limit - 4))\"") == "")
        #expect(
            host.diagnostics(environment + "\"\(long(limit - 3))\"")
                == "Supervisor.toml:3:19: error: \(words("'BIG'", limit + 1))")
        let withFile = host.adding("/etc/nexus/big.env", "BIG=\(long(limit))\n")
        #expect(
            withFile.diagnostics("[child.a]\ncommand = [\"/bin/true\"]\nenvironment-files = [\"/etc/nexus/big.env\"]")
                == "Supervisor.toml:3:22: error: \(words("'BIG' in '/etc/nexus/big.env'", limit + 4))")
    }

    @Test func moreThanExecveTakesAsAWhole_isRefusedAtTheChild() {
        // A quarter of the stack's 8 MiB: 2 MiB. Some must come from environment files, for this file has 1 MiB at most.
        var host = FakeMachine()
        let block = String(repeating: "x", count: 100_000)
        let text = (0..<9).map { "V\($0)=\(block)" }.joined(separator: "\n")
        for name in ["a", "b", "c"] {
            host = host.adding("/etc/nexus/\(name)", text.replacingOccurrences(of: "V", with: name.uppercased()))
        }
        func child(_ files: String, _ rest: String = "") -> String {
            "[child.a]\ncommand = [\"/bin/true\"]\nenvironment-files = [\(files)]\n\(rest)"
        }
        #expect(host.diagnostics(child("\"/etc/nexus/a\", \"/etc/nexus/b\"")) == "")
        let all = "\"/etc/nexus/a\", \"/etc/nexus/b\", \"/etc/nexus/c\""
        let found = host.diagnostics(child(all))
        #expect(found.hasPrefix("Supervisor.toml:1:8: error: arguments and environment take 27"))
        #expect(
            found.hasSuffix(
                "the kernel takes 2097152 (execve(2)): put some of it into a file, or raise 'stack' in 'limits'"))
        #expect(host.diagnostics(child(all, "limits = { stack = \"16MiB\" }\n")) == "")
    }

    @Test func logWriter_isAlwaysTheFirstChild() throws {
        let writer = try good("minimal").children[0]
        #expect(writer.role == .logWriter && writer.name == "log-writer" && writer.policy.ready == .reported)
        #expect(writer.policy.stop.drain == .seconds(5), "a signal alone would overtake what was said on the link")
        #expect(writer.executable == "/lib/nexus/log-writer")
        #expect(
            writer.arguments
                == ["log-writer", "--directory", "/var/lib/nexus/logs", "--total", "1000000000"].map { Text($0) })
        let silent = try FakeMachine().parse("[log]\njournal = false\n[child.a]\ncommand = [\"true\"]\n").plan.children[
            0]
        #expect(silent.arguments.contains(Text("--no-journal")))
        let all = try good("every-key").children[0].arguments
        #expect(
            all.suffix(6)
                == ["--total", "200000000", "--max-age", "2592000", "--compress", "/usr/bin/zstd"].map { Text($0) })
    }

    @Test func compression_isOnlyANoteWhereZstdIsMissing() throws {
        var host = FakeMachine()
        host.files["/usr/bin/zstd"] = nil
        let plan = try host.parse("[log]\ncompress = true\n[child.a]\ncommand = [\"true\"]\n").plan
        #expect(!plan.children[0].arguments.contains(Text("--compress")))
        #expect(
            plan.notes == ["log.compress is on, and zstd is not installed: rotated logs stay plain; apt install zstd"])
    }

    @Test func totalBelowTheCurrentFiles_isANote() throws {
        let plan = try FakeMachine().parse("[log]\nsize = \"1MB\"\ntotal = \"1MB\"\n[child.a]\ncommand = [\"true\"]\n")
            .plan
        #expect(plan.notes.count == 1 && plan.notes[0].hasPrefix("the current log files alone may take 2MB"))
    }

    @Test(arguments: [("abcde\n", true), ("abcde", true), ("abcdef\n", false), ("", true)])
    func shortSecret_isANote(value: String, isShort: Bool) throws {
        let host = FakeMachine().adding("/etc/nexus/pin", value, mode: 0o600)
        let text = "[secret.pin]\nfile = \"/etc/nexus/pin\"\n[child.a]\ncommand = [\"true\"]\nsecrets = [\"pin\"]\n"
        let notes = try host.parse(text).plan.notes
        #expect(notes.contains { $0.contains("under 6 it is not redacted in logs") } == isShort)
        #expect(!notes.contains { $0.contains("abcde") }, "the value is never shown")
    }

    /// nexusd could not hand it over: the child would only be refused when it starts.
    @Test(arguments: [
        ([0x61, 0x0A, 0x62, 0], "line 2, column 2: NUL byte"),
        ([0x61, 0xFF], "line 1, column 2: byte 0xff is not UTF-8"),
    ])
    func secretThatIsNoText_isRefused_withItsPlace(bytes: [UInt8], words: String) {
        var host = FakeMachine().adding("/etc/nexus/pin", "", mode: 0o600)
        host.contents["/etc/nexus/pin"] = bytes
        host.files["/etc/nexus/pin"]?.size = bytes.count
        let text = "[secret.pin]\nfile = \"/etc/nexus/pin\"\n[child.a]\ncommand = [\"true\"]\nsecrets = [\"pin\"]\n"
        #expect(
            host.diagnostics(text)
                == "Supervisor.toml:2:8: error: '/etc/nexus/pin', \(words); a secret is UTF-8 text without NUL: write it as"
                + " such (as base64 does), and let the program decode it")
    }

    @Test func everyKey_reachesThePolicy() throws {
        let plan = try good("every-key")
        let policy = plan[id(plan, "web")].policy
        #expect(policy.requires == [id(plan, "db")] && policy.after == [id(plan, "cache")])
        #expect(policy.critical && policy.enabled && policy.restart == .onFailure)
        #expect(
            policy.delay
                == DelayRule(
                    first: .seconds(1), cap: .seconds(60), stableAfter: .seconds(120), parkAfter: 3,
                    slowRetry: .seconds(3600)))
        #expect(policy.intensity == Intensity(restarts: 1, window: .seconds(3600)))
        #expect(
            policy.exits
                == ExitRule(
                    success: [0, 3, .signal(.terminate)], config: [64, 78],
                    network: [69, .signal(Signal(rawValue: 1))]))
        #expect(policy.ready == .probed(interval: .seconds(1)) && policy.startTimeout == .seconds(90))
        #expect(policy.liveness == LivenessRule(interval: .seconds(20), misses: 1) && policy.watchdog == .seconds(30))
        #expect(
            policy.stop
                == StopRule(
                    drain: .seconds(2), signal: Signal(rawValue: 2), timeout: .seconds(20), killGrace: .seconds(1)))
        let group = plan.groups[0].policy
        #expect(group.strategy == .restForOne && group.slowRetry == nil)
        #expect(group.intensity == Intensity(restarts: 7, window: .seconds(120)))
        #expect(plan.supervisor.readUids == [1000, 33] && plan.supervisor.readGids == [4])
        #expect(plan.supervisor.controlUids == [33] && plan.supervisor.controlGids == [4, 33])
    }

    @Test func everyKey_reachesTheProcess() throws {
        let plan = try good("every-key")
        let child = plan[id(plan, "web")]
        #expect(child.executable == "/lib/nexus/worker")
        #expect(child.arguments.dropFirst(3) == [Text("--state=/var/lib/nexus"), Text("{}")])
        #expect(
            child.arguments[2].pieces == [
                .captured(id(plan, "db"), name: "host"), .literal(":"), .captured(id(plan, "db"), name: "port"),
            ])
        let variables = Dictionary(uniqueKeysWithValues: child.environment.map { ($0.name, $0.value) })
        #expect(variables["PATH"] == Text("/bin") && variables["A"] == Text("plain"))
        #expect(variables["B"]?.pieces == [.secret(0)])
        #expect(variables["C"]?.pieces == [.literal("x"), .secret(1), .literal("y")])
        #expect(variables["D"] == Text("/run/nexus|/lib/nexus|/home/ann"))
        #expect(variables["STATE_DIRECTORY"] == Text("/var/lib/nexus/web-data"))
        #expect(child.secretFiles == [0, 1, 2] && child.directory == "/home/ann" && child.umask == 0o022)
        #expect(child.nice == 5 && child.oomScoreAdjust == 500 && !child.noNewPrivileges)
        #expect(child.pidFile == "server.pid" && plan[id(plan, "cache")].pidFile == nil)
        #expect(child.log == LogPlan(fileBytes: 65_536, files: 1, journal: true, rate: nil))
        #expect(
            plan[id(plan, "db")].log
                == LogPlan(
                    fileBytes: 1 << 20, files: 3, journal: false, rate: LogRate(lines: 10_000, window: .seconds(30))))
        #expect(
            child.limits == [
                Limit(resource: 7, soft: 100, hard: 200), Limit(resource: 4, soft: 0, hard: 0),
                Limit(resource: 9, soft: 2 << 30, hard: 2 << 30), Limit(resource: 0, soft: 3600, hard: 3600),
                Limit(resource: 15, soft: 1_000_000, hard: 1_000_000), Limit(resource: 1, soft: .max, hard: .max),
            ])
        #expect(
            child.bounds
                == RunBounds(
                    memoryMax: 4 << 30, memoryHigh: 3 << 30,
                    recycle: RecycleRule(above: 1536 << 20, patience: .seconds(7200)), processes: 512, cpuWeight: 50))
        #expect(
            plan.secrets.map(\.source) == [.generated(bytes: 16), .file("/etc/nexus/token"), .credential("token")])
    }

    @Test func everyKindOfReadiness_isUnderstood() throws {
        let plan = try good("every-key")
        #expect(
            plan[id(plan, "db")].readiness
                == .logLine(
                    LinePattern(pieces: [
                        .literal("ready on "), .capture(name: "host"), .literal(":"), .integer(name: "port"),
                        .literal(" {ok}"),
                    ])))
        #expect(
            plan[id(plan, "db")].liveness
                == .tcp(
                    host: "127.0.0.1", port: Text(pieces: [.captured(id(plan, "db"), name: "port")]),
                    timeout: .seconds(1)))
        guard case .probe(.exec("/bin/sh", let arguments, .seconds(3))) = plan[id(plan, "web")].readiness else {
            Issue.record("\(plan[id(plan, "web")].readiness)")
            return
        }
        #expect(arguments[1].pieces == [.captured(id(plan, "db"), name: "port")])
        #expect(
            plan[id(plan, "cache")].readiness
                == .probe(.tcp(host: "127.0.0.1", port: Text("6379"), timeout: .seconds(2))))
        #expect(plan[id(plan, "helper")].readiness == .health && plan[id(plan, "notifier")].readiness == .notify)
        #expect(plan[id(plan, "writer")].readiness == .descriptor(5))
    }

    @Test func worker_hasItsGrantsAndPeers() throws {
        let plan = try good("every-key")
        #expect(
            plan[id(plan, "web")].worker
                == WorkerPlan(
                    may: [
                        .status, .start(.child(id(plan, "db"))), .stop(.group(GroupID(rawValue: 0))), .restart(.all),
                        .health(id(plan, "helper")), .restart(.child(id(plan, "cache"))),
                    ], peers: [id(plan, "helper")]))
        #expect(plan[id(plan, "helper")].worker == WorkerPlan(may: [.status], peers: []))
        #expect(plan[id(plan, "helper")].policy.stop.drain == .seconds(5))
    }

    @Test func users_areResolvedWithTheirGroupsAndHomes() throws {
        let configured = try FakeMachine.root.parse(text("good/root-users"))
        let plan = configured.plan
        #expect(plan.supervisor.uidWall)
        let web = plan[id(plan, "a")]
        #expect(web.identity == Identity(uid: 33, gid: 33, groups: [4, 33], user: "web"))
        #expect(web.environment.first { $0.name == "HOME" }?.value == Text("/srv/web"))
        #expect(web.oomScoreAdjust == -1000 && web.nice == -20)
        #expect(plan[id(plan, "b")].identity == Identity(uid: 33, gid: 4, groups: [1000, 4], user: "web"))
        #expect(plan[id(plan, "c")].identity == nil)
        #expect(plan[id(plan, "d")].identity == Identity(uid: 12345, gid: 12345, groups: [12345], user: "12345"))
        #expect(plan.children[0].identity?.uid == 33)
        let owners = Dictionary(uniqueKeysWithValues: configured.directories.map { ($0.path, [$0.owner, $0.mode]) })
        #expect(owners["/var/lib/nexus"] == [0, 0o711] && owners["/var/lib/nexus/tmp"] == [0, 0o711])
        #expect(owners["/var/lib/nexus/tmp/a"] == [33, 0o700] && owners["/var/lib/nexus/logs"] == [33, 0o750])
        #expect(owners["/var/lib/nexus/shared"] == [33, 0o700] && owners["/var/lib/nexus/tmp/d"] == [12345, 0o700])
    }

    @Test func environmentFiles_comeBeforeEnvironmentAndAreStrict() throws {
        let host = FakeMachine().adding("/etc/nexus/a.env", "# note\nA=1\nB='two words'\n\nC=\"x\\ny\"\r\nD= kept \n")
            .adding("/etc/nexus/b.env", "B=3\nE=5\n")
        let plan = try host.parse(
            """
            [child.web]
            command = ["/bin/true"]
            environment-files = ["./a.env", "/etc/nexus/b.env", "-/etc/nexus/absent.env"]
            environment = { E = "mine" }
            """
        ).plan
        let variables = plan[id(plan, "web")].environment.suffix(5)
        #expect(
            variables.map { "\($0.name)=\($0.value.literal ?? "")" } == [
                "A=1", "B=3", "C=x\ny", "D= kept", "E=mine",
            ])
    }

    @Test func badEnvironmentFile_isBlamedAtItsOwnPlace() {
        let host = FakeMachine().adding(
            "/etc/nexus/a.env", "A=1\nexport B=2\n  C\n1D=x\nE=\"open\nF='a' b\nNEXUS_CHILD=x\nG=\"\\q\"\n")
        let found = host.diagnostics("[child.web]\ncommand = [\"/bin/true\"]\nenvironment-files = [\"./a.env\"]\n")
        #expect(
            found == """
                /etc/nexus/a.env:2:1: error: 'export B' is no name of a variable: leave 'export' out, this is no shell script
                /etc/nexus/a.env:3:3: error: no '='; every line is NAME=VALUE or begins with '#'
                /etc/nexus/a.env:4:1: error: '1D' is no name of a variable
                /etc/nexus/a.env:5:3: error: the quote is not closed
                /etc/nexus/a.env:6:3: error: text after the closing quote
                /etc/nexus/a.env:7:1: error: 'NEXUS_CHILD' is set by nexusd itself
                /etc/nexus/a.env:8:3: error: unknown escape; known: \\n \\t \\" \\\\ \\$
                """)
    }

    // MARK: -

    private func id(_ plan: Plan, _ name: String) -> ChildID { plan.child(named: name) ?? ChildID(rawValue: 0) }

    private func good(_ name: String) throws -> Plan { try FakeMachine().parse(text("good/\(name)")).plan }

    private func text(_ name: String) throws -> String {
        try String(
            contentsOf: #require(DiagnosticsTests.files).appendingPathComponent(name + ".toml"), encoding: .utf8)
    }
}
