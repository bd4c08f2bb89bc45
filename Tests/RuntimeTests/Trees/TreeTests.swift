import Glibc
import Plan
import SupervisorCore
import System
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct TreeTests {
        @Test func twoChildren_startAndStopByCommand_andTheTreeEndsWith0() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve"), child("two", "serve")]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            let first = try #require(try client.pid("one"))
            #expect(tree.isAlive(first))
            #expect(try client.ask("stop one") == .reply(#"{"outcome":"done"}"#))
            #expect(!tree.isAlive(first))
            #expect(try client.state("one") == "off")
            #expect(try client.ask("stop one") == .reply(#"{"outcome":"unchanged"}"#))
            #expect(try client.ask("start one") == .reply(#"{"outcome":"done"}"#))
            let second = try #require(try client.pid("one"))
            #expect(first != second)
            #expect(try tree.stop() == .code(0))
            #expect(!tree.isAlive(second))
        }

        @Test func killedChild_isBack_andTheOtherKeepsItsProcess() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve"), child("two", "serve")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let other = try client.pid("two")
            let events = try client.request("events")
            for _ in 0..<10 {
                let status = try client.status("one")
                let pid = try #require(status["pid"] as? Int32)
                kill(pid, SIGKILL)
                _ = try client.ready("one", events, after: status["run"] as? String)
            }
            let status = try client.status("one")
            #expect(status["restarts"] as? Int == 10)
            let end = try #require(status["last_end"] as? [String: Any])
            #expect(end["exit"] as? String == "signal 9 (KILL)")
            #expect(end["cause"] as? String == "crash")
            #expect(try client.pid("two") == other)
            #expect(try tree.stop() == .code(0))
        }

        @Test func childThatIgnoresTERM_isKilledAfterItsTimeout() throws {
            let stubborn = child("stubborn", "ignore-term") { $0.policy.stop.timeout = .milliseconds(300) }
            let tree = try RunningTree(Plan(children: [stubborn]))
            let client = try tree.client()
            while tree.registered("main").isEmpty { usleep(1000) }
            #expect(try client.ask("stop stubborn") == .reply(#"{"outcome":"done"}"#))
            let end = try #require(try client.status("stubborn")["last_end"] as? [String: Any])
            #expect(end["signal"] as? Int == 9)
            #expect(end["cause"] as? String == "asked")
        }

        @Test(arguments: [["leader-exits", "0"], ["setsid-child"], ["double-fork"], ["double-fork", "clean"]])
        func whateverChildrenLeaveBehind_isGoneWithTheTree(verb: [String]) throws {
            let bad = child("bad") { child in
                child.arguments = [Text("fixture")] + verb.map { Text($0) }
                child.policy.restart = .never
                child.policy.stop.timeout = .milliseconds(500)
            }
            let tree = try RunningTree(Plan(children: [bad]))
            let roles = ["left", "session", "daemon"]
            // What a leader leaves is killed at once when it ends, perhaps before it can say that it is there.
            let client = try tree.client()
            while roles.allSatisfy({ tree.registered($0).isEmpty }), try client.state("bad") != "done" { usleep(1000) }
            let left = roles.flatMap(tree.registered)
            #expect(try tree.stop() == .code(0))
            for pid in left { #expect(!tree.isAlive(pid), "\(verb) left \(pid)") }
        }

        @Test func missingExecutable_isAConfigurationError_andParks() throws {
            let tree = try RunningTree(Plan(children: [child("ghost") { $0.executable = "/nonexistent/ghost" }]))
            let client = try tree.client()
            guard case .error("failed", let words) = try client.ask("wait-ready") else {
                Issue.record("a child that cannot be started counts as ready")
                return
            }
            #expect(words == "ghost is parked (config)")
            let end = try #require(try client.status("ghost")["last_end"] as? [String: Any])
            #expect(end["exit"] as? String == "exec: No such file or directory (ENOENT)")
            guard case .error("failed", let why) = try client.ask("start ghost") else {
                Issue.record("a start that fails is an error")
                return
            }
            #expect(why.contains("exec: No such file or directory"))
        }

        @Test func secondSignal_cutsTheTimeouts() throws {
            let stubborn = child("stubborn", "ignore-term") { $0.policy.stop.timeout = .seconds(120) }
            let tree = try RunningTree(Plan(children: [stubborn]))
            while tree.registered("main").isEmpty { usleep(1000) }
            let client = try tree.client()
            let events = try client.request("events")
            _ = try client.ask("version")
            try tree.signal(.terminate)
            _ = try client.event(events) { $0["message_id"] as? String == EventKind.stopping.messageID }
            try tree.signal(.interrupt)
            #expect(try tree.end() == .code(0))
        }

        @Test func childThatIsDownBeforeTheOthers_isStoppedWithTheTree() throws {
            let stubborn = child("stubborn", "ignore-term") { $0.policy.stop.timeout = .seconds(120) }
            let tree = try RunningTree(Plan(children: [child("quick", "serve"), stubborn]))
            while tree.registered("main").count < 2 { usleep(1000) }
            let client = try tree.client()
            #expect(try client.status("quick")["stopped_with_tree"] as? Bool == false)
            try tree.signal(.terminate)
            try waitFor("the end of quick") { try client.state("quick") == "off" }
            #expect(try client.status("quick")["stopped_with_tree"] as? Bool == true)
            #expect(try tree.ctl("status").output.contains("stopped with the tree"))
            let why = try tree.ctl("why", "quick").output
            #expect(why.contains("rule     stopped with the tree"), "\(why)")
            try tree.signal(.interrupt)
            #expect(try tree.end() == .code(0))
        }

        @Test func signalsThatMeanNothing_doNotEndTheTree() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            // USR1, USR2, PIPE, ALRM, STKFLT, VTALRM, PROF, IO, and two real-time ones.
            for number: Int32 in [10, 12, 13, 14, 16, 26, 27, 29, 34, 64] { try tree.signal(Signal(rawValue: number)) }
            #expect(try client.state("one") == "ready")
            #expect(try tree.stop() == .code(0))
        }

        @Test func hangUpWithoutATerminal_isNoStop() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve")]))
            let client = try tree.client()
            let events = try client.request("events")
            _ = try client.ask("wait-ready")
            try tree.signal(.hangUp)
            // A plan given by hand has no file that could be read again; that is said, and nothing is stopped.
            let said = try client.event(events) { ($0["message"] as? String ?? "").hasPrefix("Not reloaded") }
            #expect(said["priority"] as? Int == 3)
            #expect(try client.state("one") == "ready")
        }

        @Test func idleTree_doesNotWakeUp() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve"), child("two", "serve")]))
            _ = try tree.client().ask("wait-ready")
            func wakeUps() -> Substring? {
                tree.file("/proc/\(tree.processID)/status").split(separator: "\n").first { $0.hasPrefix("voluntary") }
            }
            // The client's leaving is the last thing there is to do; when two looks in a row see the same that is over, and
            // time itself is what is tested.
            var before: Substring?
            repeat {
                before = wakeUps()
                usleep(200_000)
            } while wakeUps() != before
            usleep(1_000_000)
            #expect(wakeUps() == before)
        }

        @Test func pidFiles_areThere_andGoWithTheirProcess() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve") { $0.pidFile = "one.pid" }]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let pid = try #require(try client.pid("one"))
            #expect(tree.file(tree.runtime + "/pid/one.pid") == "\(pid)\n")
            #expect(tree.file(tree.runtime + "/pid/nexusd.pid") == "\(tree.processID)\n")
            _ = try client.ask("stop one")
            #expect(tree.file(tree.runtime + "/pid/one.pid") == "")
            _ = try tree.stop()
            #expect(tree.file(tree.runtime + "/pid/nexusd.pid") == "")
        }
    }
}
