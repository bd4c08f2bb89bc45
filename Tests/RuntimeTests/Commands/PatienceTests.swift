import Foundation
import Plan
import SupervisorCore
import Testing

@testable import Runtime

extension WholeTrees {
    /// What commands say while they wait for a child that does not come up, and when they stop waiting.
    @Suite(.timeLimit(.minutes(1))) struct PatienceTests {
        /// Never ready, and back only after everybody has looked.
        private func dying(_ name: String, _ delay: Duration = .seconds(20)) -> ChildPlan {
            script(name, "exit 3") {
                $0.readiness = .notify
                $0.policy.ready = .reported
                $0.policy.enabled = false
                $0.policy.delay = DelayRule(first: delay, cap: delay, parkAfter: 100)
            }
        }

        private func tree() throws -> RunningTree {
            let needy = script("needy", "exec sleep 1000") {
                $0.policy.enabled = false
                $0.policy.requires = [.a]
            }
            return try RunningTree(Plan(children: [dying("bad"), needy, dying("quick", .milliseconds(15))]))
        }

        @Test(arguments: ["start", "restart"]) func childThatKeepsEnding_isTold_andTheTimeoutSaysHowFarItIs(
            verb: String
        )
            throws
        {
            let tree = try tree()
            let answer = try tree.ctl(verb, "bad", "--timeout", "300ms")
            #expect(answer.status == 5 && answer.output.isEmpty, "\(answer)")
            let lines = answer.errors.split(separator: "\n")
            #expect(lines.first?.hasPrefix("bad ended after ") == true, "\(answer)")
            #expect(lines.first?.contains(": exit 3 (crash); next try in ") == true, "\(answer)")
            let late = verb == "start" ? "ready" : "ready again"
            #expect(
                answer.errors.contains(
                    "nexusctl: bad is not \(late) within 300ms: bad is delayed (crash: exit 3; next try in "),
                "\(answer)")
            #expect(answer.errors.contains("see: nexusctl why bad"), "\(answer)")
            let status = try tree.client().status("bad")
            #expect(status["state"] as? String == "delayed", "it is wanted still")
        }

        @Test func timeout_isOneJSONObject_andBothOptionsAtOnceAreWrong() throws {
            let tree = try tree()
            let answer = try tree.ctl("start", "bad", "--timeout", "300ms", "--json")
            #expect(answer.status == 5 && answer.output.split(separator: "\n").count == 1, "\(answer)")
            let result = (answer.object["results"] as? [[String: Any]])?.first
            #expect(result?["outcome"] as? String == "timeout", "\(answer)")
            #expect((result?["error"] as? String)?.contains("bad is delayed (crash: exit 3") == true, "\(answer)")
            #expect(try tree.ctl("start", "bad", "--timeout", "soon").status == 2)
            #expect(try tree.ctl("start", "bad", "--timeout", "1s", "--no-wait").status == 2)
        }

        @Test func endsOfWhatAChildNeeds_areToldToo() throws {
            let tree = try tree()
            let answer = try tree.ctl("start", "needy", "--timeout", "300ms")
            #expect(answer.status == 5 && answer.errors.hasPrefix("bad ended after "), "\(answer)")
            #expect(answer.errors.contains("needy is waiting (waits for bad"), "\(answer)")
        }

        /// The choice has to be on disk before a start is answered, which may take longer than the run.
        @Test func endThatTheAnswerTellsOf_isSaidOnce() throws {
            let gone = child("gone") {
                $0.executable = "/nonexistent"
                $0.policy.enabled = false
            }
            let tree = try RunningTree(Plan(children: [gone]))
            let answer = try tree.ctl("start", "gone")
            #expect(answer.status == 1 && answer.errors.hasPrefix("nexusctl: gone: it was given up"), "\(answer)")
            #expect(answer.errors.split(separator: "\n").count { $0.contains("ENOENT") } == 1, "\(answer)")
        }

        @Test func manyEnds_areToldOnlyUpToABound() throws {
            let tree = try tree()
            let answer = try tree.ctl("start", "quick")
            #expect(answer.status == 1, "it parks: \(answer)")
            #expect(
                answer.errors.split(separator: "\n").count { $0.hasPrefix("quick ended after ") } == 20, "\(answer)")
            #expect(answer.errors.contains("\nand so on; each end is shown by: nexusctl events -f\n"), "\(answer)")
        }

        @Test func overtakenCommand_namesItself() throws {
            let slow = script("slow", "exec sleep 1000") {
                $0.readiness = .notify
                $0.policy.ready = .reported
                $0.policy.enabled = false
            }
            let tree = try RunningTree(Plan(children: [slow]))
            let (client, other) = (try tree.client(), try tree.client())
            let start = try client.request("start slow")
            try waitFor("the start") { try other.state("slow") == "starting" }
            #expect(try other.ask("stop slow") == .reply(#"{"outcome":"done"}"#))
            guard case .error("failed", let words) = try client.end(of: start) else { return #expect(Bool(false)) }
            #expect(
                words.contains(
                    "start child:slow: a later command, or the stop of the tree, overtook it; see `nexusctl status`"))
        }

        @Test func recyclingThatTakesTooLong_saysHowFarItIs_andGoesOn() throws {
            let deaf = child("deaf", "ignore-term") { $0.policy.stop = StopRule(timeout: .seconds(2)) }
            let tree = try RunningTree(Plan(children: [deaf]))
            let client = try tree.client()
            for form in [[], ["--json"]] {
                var recycled: CtlAnswer?
                let former = try client.status("deaf")["run"] as? String
                try waitFor("its handlers") { tree.registered("main").contains(try client.pid("deaf") ?? 0) }
                // Only what has been ready for a while is recycled.
                try waitFor("the recycling") {
                    recycled = try tree.ctl(["recycle", "deaf", "--timeout", "200ms"] + form)
                    return recycled?.status != 1
                }
                let answer = try #require(recycled)
                #expect(answer.status == 5 && answer.output.isEmpty == form.isEmpty, "\(answer)")
                #expect(form.isEmpty || answer.object["outcome"] as? String == "timeout", "\(answer)")
                #expect(
                    answer.errors.hasPrefix("nexusctl: deaf is not recycled within 200ms: it is stopping ("),
                    "\(answer)")
                #expect(answer.errors.contains("nexusd goes on with it; see: nexusctl why deaf"), "\(answer)")
                try waitFor("the new run") {
                    let now = try client.status("deaf")
                    return now["state"] as? String == "ready" && now["run"] as? String != former
                }
            }
            #expect(try tree.ctl("recycle", "deaf", "--timeout", "1s", "--no-wait").status == 2)
            #expect(try tree.ctl("recycle", "deaf", "--timeout", "soon").status == 2)
        }

        @Test func stopThatTakesTooLong_saysWhatItWaitsFor_andGoesOn() throws {
            let tree = try RunningTree(Plan(children: [child("deaf", "ignore-term")]))
            let client = try tree.client()
            try waitFor("its handlers") { !tree.registered("main").isEmpty }
            let answer = try tree.ctl("stop", "deaf", "--timeout", "100ms")
            #expect(answer.status == 5, "\(answer)")
            #expect(
                answer.errors.hasPrefix(
                    "nexusctl: deaf is not stopped within 100ms: deaf is stopping (stopping: asked"),
                "\(answer)")
            try waitFor("the end of deaf") { try client.state("deaf") == "off" }
        }
    }
}
