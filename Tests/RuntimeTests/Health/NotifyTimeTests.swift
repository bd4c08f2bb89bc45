import Foundation
import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// More time by EXTEND_TIMEOUT_USEC, and a barrier of a real client, in whole trees.
    @Suite(.timeLimit(.minutes(1))) struct NotifyTimeTests {
        private func isStarting(_ client: ControlPeer, _ name: String) throws -> Bool {
            try client.state(name) == "starting"
        }

        /// Its sibling has the same timeout and began no sooner: when that is over, so is the other's own.
        @Test func childThatAsksForMoreTime_isWaitedForBeyondItsStartTimeout() throws {
            let (up, down) = (TemporaryFlag(), TemporaryFlag())
            func starting(_ name: String, _ verb: String...) -> ChildPlan {
                child(name, readiness: .notify) {
                    $0.arguments += verb.map { Text($0) }
                    $0.policy.startTimeout = .seconds(3)
                    $0.policy.restart = .never
                }
            }
            let tree = try RunningTree(
                Plan(children: [
                    starting("patient", "extend", "30000000", up.path, down.path), starting("strict", "never-ready"),
                ]))
            let client = try tree.client()
            let run = try client.status("patient")["run"] as? String
            #expect(try client.end(of: "strict")["cause"] as? String == "probe")
            #expect(try isStarting(client, "patient"))
            up.set()
            #expect(try client.ask("wait-ready patient") == .reply(#"{"ready":true}"#))
            #expect(try client.status("patient")["run"] as? String == run)
            down.set()
            #expect(try tree.stop() == .code(0))
        }

        @Test func childThatAsksForMoreTimeAtItsStop_isNotKilledAtItsStopTimeout() throws {
            let (up, down) = (TemporaryFlag(), TemporaryFlag())
            up.set()
            func stopping(_ name: String, _ verb: String..., readiness: Readiness) -> ChildPlan {
                child(name, readiness: readiness) {
                    $0.arguments += verb.map { Text($0) }
                    $0.policy.stop.timeout = .seconds(3)
                }
            }
            let tree = try RunningTree(
                Plan(children: [
                    stopping("patient", "extend", "30000000", up.path, down.path, readiness: .notify),
                    stopping("strict", "ignore-term", readiness: .spawned),
                ]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            // Executed is not yet deaf.
            try waitFor("strict to ignore SIGTERM") {
                try client.pid("strict").map(tree.registered("main").contains) ?? false
            }
            let stop = try client.request("stop patient")
            // Asked later, killed earlier.
            let other = try tree.client()
            try waitFor("the stop of patient") { try other.state("patient") == "stopping" }
            #expect(try other.ask("stop strict") == .reply(#"{"outcome":"done"}"#))
            #expect(try other.end(of: "strict")["exit"] as? String == "signal 9 (KILL)")
            #expect(try other.state("patient") == "stopping")
            down.set()
            #expect(try client.end(of: stop) == .reply(#"{"outcome":"done"}"#))
            #expect(try other.end(of: "patient")["exit"] as? String == "exit 0")
            #expect(try tree.stop() == .code(0))
        }

        /// systemd-notify sends READY=1, then BARRIER=1 with a descriptor, and ends when that was closed: by then nexusd has
        /// heard what came before it.
        @Test(.enabled(if: access("/usr/bin/systemd-notify", X_OK) == 0, "systemd-notify is not installed"))
        func barrierOfSystemdNotify_isOverWhenItsWordsAreHeard() throws {
            let flag = TemporaryFlag()
            let notifier = script(
                "notifier",
                "systemd-notify --ready --status='up by a barrier' || exit 9; : >\(flag.path); exec sleep 1000"
            ) {
                $0.readiness = .notify
                $0.policy.ready = .reported
                $0.policy.restart = .never
            }
            let tree = try RunningTree(Plan(children: [notifier]))
            let client = try tree.client()
            try waitFor("the end of systemd-notify") {
                try access(flag.path, F_OK) == 0 || client.status("notifier")["last_end"] is [String: Any]
            }
            let status = try client.status("notifier")
            #expect(
                status["state"] as? String == "ready" && status["status"] as? String == "up by a barrier", "\(status)")
            #expect(try tree.said().contains("not heard") == false)
            #expect(try tree.stop() == .code(0))
        }
    }
}
