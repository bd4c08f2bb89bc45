import Glibc
import Plan
import SupervisorCore
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// What is said of a stop that takes long, and of one that only SIGKILL ended.
    @Suite(.timeLimit(.minutes(1))) struct StopCommandTests {
        private func deaf(_ timeout: Duration) -> ChildPlan {
            child("deaf", "ignore-term") { $0.policy.stop.timeout = timeout }
        }

        /// By `ignore-term`, which is deaf when it has said where it is.
        private func awaitDeaf(_ tree: RunningTree, runs: Int = 1) throws {
            try waitFor("a deaf run") { tree.registered("main").count >= runs }
        }

        private func isKill(_ words: String) -> Bool {
            words.hasPrefix("it had not ended ") && words.hasSuffix(" after SIGTERM (`stop-timeout`): nexusd killed it")
        }

        @Test func stopThatOnlySIGKILLEnded_isSaidByCommand_status_andHistory() throws {
            let tree = try RunningTree(Plan(children: [deaf(.milliseconds(300)), script("other", "exec sleep 600")]))
            let client = try tree.client()
            try awaitDeaf(tree)
            let stopped = try tree.ctl("stop", "deaf", "other").output.split(separator: "\n").map(String.init)
            #expect(stopped.count == 2 && stopped.last == "other: stopped", "\(stopped)")
            let words = try #require(stopped.first)
            #expect(words.hasPrefix("deaf: stopped; ") && isKill(String(words.dropFirst(15))), "\(words)")
            let end = try client.end(of: "deaf")
            #expect(end["cause"] as? String == "asked" && isKill(end["detail"] as? String ?? ""), "\(end)")
            #expect(try client.status("other")["last_end"].map { ($0 as? [String: Any])?["detail"] is String } == false)

            let history = try tree.ctl("history", "deaf")
            #expect(history.output.contains("signal 9 (KILL): it had not ended "), "\(history.output)")
            let ends = try tree.ctl("history", "deaf", "--json").object["ends"] as? [[String: Any]]
            #expect(isKill(ends?.last?["detail"] as? String ?? ""), "\(String(describing: ends))")
            let why = try tree.ctl("why", "deaf").output
            #expect(why.contains("nexusd killed it"), "\(why)")

            #expect(try client.ask("start deaf") == .reply(#"{"outcome":"done"}"#))
            try awaitDeaf(tree, runs: 2)
            let results = try tree.ctl("stop", "deaf", "--json").object["results"] as? [[String: Any]]
            let result = try #require(results?.first)
            #expect(result["outcome"] as? String == "done" && result["name"] as? String == "deaf")
            let killed = try #require(result["ends"] as? [[String: Any]])
            #expect(killed.count == 1 && killed[0]["child"] as? String == "deaf", "\(result)")
            #expect(isKill(killed[0]["detail"] as? String ?? ""), "\(result)")
            #expect(try tree.stop() == .code(0))
        }

        /// Without a cgroup nothing tells whose it was, and nobody may take the child's end for its.
        @Test func processThatLeftItsRun_isSaidByStop_andWhy() throws {
            let tree = try RunningTree(Plan(children: [child("bad", "double-fork", "clean"), child("good", "serve")]))
            try waitFor("the daemon") { !tree.registered("daemon").isEmpty }
            let words = "a process left its run, and nothing tells whose: see `nexusctl status`"
            let stopped = try tree.ctl("stop", "bad")
            #expect(
                stopped.output == "bad: stopped\n" && stopped.errors == "nexusctl: not ended: \(words)\n", "\(stopped)")
            #expect(try tree.ctl("why", "bad").output.contains("  stray    \(words)"))
            let again = try tree.ctl("stop", "bad", "--json").object["strays"] as? [[String: Any]]
            #expect((again?.first?["pid"] as? Int).map(Int32.init) == tree.registered("daemon").first, "\(again ?? [])")
            #expect(try tree.stop() == .code(0))
        }

        @Test func restartWhoseOldRunWasKilled_saysSo() throws {
            let tree = try RunningTree(Plan(children: [deaf(.milliseconds(300))]))
            try awaitDeaf(tree)
            let words = try tree.ctl("restart", "deaf").output
            #expect(words.hasPrefix("deaf: ready again; it had not ended "), "\(words)")
        }

        @Test func mainEnds_andWhatItLeftDoesNot_isSaidSo() throws {
            let words =
                "sh -c 'trap \"\" TERM; echo up $$ >> $FIXTURE_PIDS; while :; do sleep 1; done' & exec sleep 600"
            let tree = try RunningTree(
                Plan(children: [script("half", words) { $0.policy.stop.timeout = .milliseconds(300) }]))
            try waitFor("the deaf one") { !tree.registered("up").isEmpty }
            let said = try tree.ctl("stop", "half").output
            #expect(said.hasPrefix("half: stopped; what it had started had not ended "), "\(said)")
            #expect(said.hasSuffix(" after SIGTERM (`stop-timeout`): nexusd killed it\n"), "\(said)")
        }

        @Test func startOfWhatIsStillStopping_isShownAsOwed_andTheWayOut() throws {
            let tree = try RunningTree(Plan(children: [deaf(.seconds(600))]))
            let client = try tree.client()
            try awaitDeaf(tree)
            #expect(try client.ask("stop deaf --no-wait") == .reply(#"{"outcome":"accepted"}"#))
            try waitFor("the stop") { try client.state("deaf") == "stopping" }
            #expect(try client.status("deaf")["starts_again"] as? Bool == false)
            let wayOut = "nexusctl signal deaf KILL"
            for words in [["status"], ["why", "deaf"]] {
                let said = try tree.ctl(words).output
                #expect(said.contains(wayOut) && !said.contains("starts again"), "\(said)")
            }
            #expect(try client.ask("start deaf --no-wait") == .reply(#"{"outcome":"accepted"}"#))
            #expect(try client.status("deaf")["starts_again"] as? Bool == true)
            #expect(try client.state("deaf") == "stopping")
            for words in [["status"], ["why", "deaf"]] {
                let said = try tree.ctl(words).output
                #expect(said.contains(wayOut) && said.contains("then it starts again"), "\(said)")
            }
            #expect(try tree.ctl("signal", "deaf", "KILL").status == 0)
            try waitFor("the start that was owed") { try client.state("deaf") == "ready" }
            #expect(try client.status("deaf")["starts_again"] as? Bool == false)
        }
    }
}
