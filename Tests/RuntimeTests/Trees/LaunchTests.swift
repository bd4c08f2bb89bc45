import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// Who owns a child's program file can let its execve wait, by a lease that nobody gives up (fcntl(2), F_SETLEASE; the
    /// kernel breaks it after 45 s). Whatever is asked here is asked while it waits, and answered before it goes on.
    @Suite(.timeLimit(.minutes(1))) struct LaunchTests {
        private func held(_ program: HeldProgram, change: (inout ChildPlan) -> Void = { _ in }) -> ChildPlan {
            child("held") { child in
                child.executable = program.path
                child.arguments = [Text("held"), Text("600")]
                change(&child)
            }
        }

        private func started(_ plan: [ChildPlan]) throws -> (RunningTree, ControlPeer) {
            let tree = try RunningTree(Plan(children: plan))
            let client = try tree.client()
            try waitFor("the process of held") { try client.pid("held") != nil }
            #expect(try client.state("held") == "starting")
            return (tree, client)
        }

        @Test func heldProgram_holdsUpNobodyElse_andCanBeStopped() throws {
            let program = try HeldProgram()
            let watched = child("watched", "serve") {
                $0.liveness = .exec(executable: "/bin/true", arguments: [Text("true")], timeout: .seconds(5))
                $0.policy.liveness = LivenessRule(interval: .milliseconds(20), misses: 100)
            }
            let (tree, client) = try started([held(program), child("other", "serve"), watched])
            let pid = try #require(try client.pid("held"))
            let events = try client.request("events")
            for _ in 0..<3 {
                let status = try client.status("other")
                kill(try #require(status["pid"] as? Int32), SIGKILL)
                _ = try client.ready("other", events, after: status["run"] as? String)
            }
            #expect(try client.ask("restart watched") == .reply(#"{"outcome":"done"}"#))
            let before = try client.status("held")
            #expect(before["state"] as? String == "starting" && before["pid"] as? Int32 == pid)
            #expect(try client.ask("stop held") == .reply(#"{"outcome":"done"}"#))
            #expect(!tree.isAlive(pid))
            let end = try #require(try client.status("held")["last_end"] as? [String: Any])
            #expect(end["cause"] as? String == "asked")
            #expect((end["detail"] as? String)?.hasPrefix("never executed: it was ended before the exec of") == true)
            #expect(try tree.stop() == .code(0))
        }

        /// What stands in `peak_bytes` has to be the program's own: all that a child has before its exec is below the bound.
        @Test func peakBeforeTheExec_isBelowWhatIsTakenForInherited() async {
            await #expect(processExitsWith: .success) {
                let nest = try Nest()
                let program = try HeldProgram()
                let life = try nest.start("") { $0.executable = program.path }
                try HeldProgram.awaitExec(of: life.process)
                try nest.kernel.signal(life.pidfd, .kill)
                try #require(try nest.reap { nest.exits[life.process] != nil })
                try #require(life.scope.usage().peakBytes == nil)
            }
        }

        @Test func treeWithAHeldProgram_endsInOrder() throws {
            let program = try HeldProgram()
            let (tree, client) = try started([held(program), child("other", "serve")])
            let pid = try #require(try client.pid("held"))
            #expect(try tree.stop() == .code(0))
            #expect(!tree.isAlive(pid))
            #expect(try !tree.said().contains("not executed"), "it was stopped before that")
        }

        @Test func workerThatIsNotExecuted_isNotWaitedForToDrain() throws {
            let program = try HeldProgram()
            let worker = held(program) { child in
                child.worker = WorkerPlan()
                child.readiness = .bus
                child.policy.ready = .reported
                child.policy.stop = StopRule(drain: .seconds(600), timeout: .seconds(600))
            }
            let (tree, client) = try started([worker])
            #expect(try client.ask("stop held") == .reply(#"{"outcome":"done"}"#))
            #expect(try tree.stop() == .code(0))
        }

        @Test func programThatIsLetGo_runsAsIfNothingHadBeen() throws {
            let program = try HeldProgram()
            let (tree, client) = try started([held(program) { $0.pidFile = "held.pid" }])
            let pid = try #require(try client.pid("held"))
            program.letGo()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try client.pid("held") == pid)
            #expect(tree.file(tree.runtime + "/pid/held.pid") == "\(pid)\n")
            #expect(try tree.stop() == .code(0))
        }

        @Test func signalBeforeTheExec_isRefused_unlessItEndsTheTry() throws {
            let program = try HeldProgram()
            let (tree, client) = try started([held(program)])
            let pid = try #require(try client.pid("held"))
            guard case .error("failed", let why) = try client.ask("signal held HUP") else {
                Issue.record("it was sent")
                return
            }
            let words = "the program of held is not executed yet, since the kernel waits for \(program.path)"
            #expect(why.hasPrefix(words) && why.hasSuffix("until then only TERM and KILL are sent"), "\(why)")
            #expect(try client.pid("held") == pid)
            #expect(try client.ask("signal held TERM") == .reply(#"{"outcome":"done"}"#))
            #expect(try client.end(of: "held")["exit"] as? String == "signal 15 (TERM)")
            #expect(try tree.stop() == .code(0))
        }

        /// Its report ends with it, as it does at an exec.
        @Test func programThatIsKilledBeforeItsExec_isNotReady_andWhySaysThatItWasNeverExecuted() throws {
            let program = try HeldProgram()
            let plans = [
                held(program) { $0.policy.delay.parkAfter = 2 },
                child("later", "serve") { $0.policy.requires = [ChildID(rawValue: 1)] },
            ]
            let (tree, client) = try started(plans)
            let pid = try #require(try client.pid("held"))
            try HeldProgram.awaitExec(of: ProcessID(rawValue: pid))
            kill(pid, SIGKILL)
            try waitFor("another try") { try client.pid("held").map { $0 != pid } ?? false }
            let other = try #require(try client.pid("held"))
            try HeldProgram.awaitExec(of: ProcessID(rawValue: other))
            #expect(try client.ask("signal held KILL") == .reply(#"{"outcome":"done"}"#))
            try waitFor("parking") { try client.state("held") == "parked" }
            let status = try client.status("held")
            let end = try #require(status["last_end"] as? [String: Any])
            #expect(end["exit"] as? String == "signal 9 (KILL)" && end["cause"] as? String == "crash")
            #expect((end["detail"] as? String)?.hasPrefix("never executed: it was ended before the exec of") == true)
            #expect(status["restarts"] as? Int == 0, "no program was executed again")
            #expect(try tree.ctl("why", "held").output.contains("never executed"))
            #expect(
                try client.status("later")["run"] as? String == nil && tree.said().contains("Starting later") == false)
            program.letGo()
            #expect(try client.ask("start held") == .reply(#"{"outcome":"done"}"#))
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try tree.stop() == .code(0))
        }

        @Test func commandThatFails_saysWhatIsKnownOfTheEnd_andNotNexusdsOwnSignal() throws {
            let late = child("late", "serve", readiness: .notify) { child in
                child.policy.enabled = false
                child.policy.startTimeout = .milliseconds(200)
                child.policy.delay.parkAfter = 1
            }
            let homeless = child("homeless", "serve") { child in
                child.policy.enabled = false
                child.directory = "/nonexistent/home"
            }
            let tree = try RunningTree(Plan(children: [late, homeless]))
            let client = try tree.client()
            guard case .error("failed", let timeout) = try client.ask("start late"),
                case .error("failed", let directory) = try client.ask("start homeless")
            else {
                Issue.record("both cannot be started")
                return
            }
            #expect(timeout.hasPrefix("late: it was given up for now (probe: not ready within "), "\(timeout)")
            #expect(timeout.contains("READY=1") && !timeout.contains("signal"), "\(timeout)")
            #expect(directory.contains("(config: directory /nonexistent/home: No such file"), "\(directory)")
            #expect(try tree.stop() == .code(0))
        }

        @Test func startTimeout_countsWhileTheExecIsWaitedFor_andStatusSaysWhatForAtOnce() throws {
            let program = try HeldProgram()
            for readiness in [Readiness.spawned, .notify] {
                let timed = child("held", readiness: readiness) { child in
                    child.executable = program.path
                    child.arguments = [Text("held"), Text("600")]
                    child.policy.startTimeout = .milliseconds(1500)
                }
                let (tree, client) = try started([timed])
                let pid = try #require(try client.pid("held"))
                let awaits = try client.status("held")["awaits"] as? String
                #expect(
                    awaits == "its program to be executed: the kernel waits for \(program.path), or for its directory")
                let why = try tree.ctl("why", "held").output
                #expect(
                    why.contains("left for its exec; then it is stopped, with cause probe (`start-timeout`)"), "\(why)")
                let end = try client.end(of: "held")
                #expect(!tree.isAlive(pid))
                #expect(end["cause"] as? String == "probe")
                #expect((end["detail"] as? String)?.hasPrefix("not executed within 1.5 s: ") == true, "\(end)")
                #expect(try tree.stop() == .code(0))
            }
        }

        @Test func programThatIsNotExecutedInTime_isKilledAndNamed_andTriedAgain() throws {
            let program = try HeldProgram()
            let (tree, client) = try started([held(program)])
            let pid = try #require(try client.pid("held"))
            let limit = try #require(try client.status("held")["limit_ms"] as? Int)
            #expect(limit <= 10_000, "its start-timeout is longer")
            let waiting = try tree.ctl("why", "held").output
            #expect(waiting.contains("no exec has more than 10 s, which is fixed"), "\(waiting)")
            #expect(!waiting.contains("start-timeout"), "\(waiting)")
            let end = try client.end(of: "held")
            #expect(!tree.isAlive(pid))
            #expect((end["detail"] as? String)?.hasPrefix("not executed within 10 s: the kernel waits for") == true)
            #expect(end["exit"] as? String == "exec: Connection timed out (ETIMEDOUT)")
            #expect(end["cause"] as? String == "crash", "it may pass by itself")
            #expect(
                try tree.said().contains("held was not executed within 10 s and is killed: the kernel still waits for"))
            program.letGo()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try tree.stop() == .code(0))
        }

        @Test func probeWhoseProgramIsHeld_isAMiss_andTheChildIsNotWaitedFor() throws {
            let program = try HeldProgram("/bin/true")
            let watched = child("watched", "serve") {
                $0.liveness = .exec(
                    executable: program.path, arguments: [Text("held")], timeout: .milliseconds(300))
                $0.policy.liveness = LivenessRule(interval: .milliseconds(20), misses: 100)
            }
            let tree = try RunningTree(Plan(children: [watched]))
            let client = try tree.client()
            var health: String?
            try waitFor("a miss") {
                health = try client.status("watched")["health"] as? String
                return health != nil
            }
            #expect(health == "no answer within 300 ms")
            program.letGo()
            try waitFor("a hit") { try client.status("watched")["health"] as? String == nil }
            #expect(try tree.stop() == .code(0))
        }
    }
}
