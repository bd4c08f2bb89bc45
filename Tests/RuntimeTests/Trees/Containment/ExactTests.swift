import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// nexusd with a cgroup of its own: stopped means empty for every single child.
    @Suite(.timeLimit(.minutes(1)), .enabled(if: TestCgroup.isPossible, "needs root and a cgroup v2 mount"))
    struct ExactTests {
        private let kernel = LiveKernel()

        private func withTree(_ children: [ChildPlan], _ body: (RunningTree, ControlPeer) throws -> Void) throws {
            let cgroup = try TestCgroup()
            let tree = try RunningTree(
                Plan(children: children), environment: ["NEXUS_CGROUP=\(cgroup.path)"])
            let client = try tree.client()
            let status = try client.object("status")
            #expect(status["guarantee"] as? String == "exact")
            try body(tree, client)
            #expect(try tree.stop() == .code(0))
            try cgroup.removeEmptied()
        }

        @Test func daemonWithNothingToTellItBy_isGoneWithItsChild() throws {
            let bad = child("bad", "double-fork", "clean") { $0.policy.stop.timeout = .milliseconds(300) }
            try withTree([bad, child("other", "serve")]) { tree, client in
                while tree.registered("daemon").isEmpty { usleep(1000) }
                let daemon = tree.registered("daemon")[0]
                let outcome = try client.ask("stop bad")
                #expect(outcome == .reply(#"{"outcome":"done"}"#))
                #expect(!tree.isAlive(daemon))
                let state = try client.state("other")
                #expect(state == "ready")
            }
        }

        @Test func guarantee_isWeakerForWhoMayLeave_andSaidOfEach() throws {
            let own = script("own", "exec sleep 600") {
                $0.identity = Identity(uid: 54_320, gid: 54_320, groups: [], user: "own")
            }
            try withTree([own, child("rooted", "serve")]) { tree, client in
                #expect(try client.status("own")["guarantee"] as? String == "exact")
                #expect(try client.status("rooted")["guarantee"] as? String == "exact while it stays")
                #expect(try tree.ctl("why", "rooted").output.contains("contains exact while it stays"))
                let notes = try client.object("status")["notes"] as? [String] ?? []
                #expect(
                    notes.contains { $0.hasPrefix("containment is exact for rooted only while it stays") }, "\(notes)")
            }
        }

        /// Main and descendant write themselves into another cgroup, the latter without a trace of whose it is.
        @Test func whatLeftItsCgroup_isEndedWithItsChild_andSaid() throws {
            let away = "echo $$ > \(TestCgroup.mount ?? "")/cgroup.procs"
            let left = "trap \"\" TERM; \(away); echo left $$ >> $P; exec env -i /bin/sleep 600"
            let wanderer = script(
                "wanderer",
                "trap '' TERM; \(away); setsid env -i P=$FIXTURE_PIDS /bin/sh -c '\(left)' & while :; do wait; done"
            ) { $0.policy.stop.timeout = .milliseconds(300) }
            try withTree([wanderer]) { tree, client in
                try waitFor("the descendant") { !tree.registered("left").isEmpty }
                let left = tree.registered("left").first
                let main = try client.pid("wanderer")
                let listener = try tree.client()
                let events = try listener.request("events")
                #expect(try client.ask("stop wanderer") == .reply(#"{"outcome":"done"}"#))
                for pid in [left, main] { #expect(try !tree.isAlive(#require(pid))) }
                let said = try listener.event(events) { $0["message_id"] as? String == EventKind.stray.messageID }
                let words = said["message"] as? String ?? ""
                #expect(words.contains("wanderer had left its cgroup") && words.contains("sleep (pid"), "\(words)")
            }
        }

        /// One that crashes: what is found by its run id goes at once, and the replacement comes.
        @Test func whatACrashLeavesOutsideOfItsCgroup_isGoneBeforeTheReplacement() throws {
            let away = "echo $$ > \(TestCgroup.mount ?? "")/cgroup.procs"
            let left = "\(away); echo left $$ >> $FIXTURE_PIDS; exec sleep 600"
            let isLeft = "grep -qs left $FIXTURE_PIDS"
            let crasher = script(
                "crasher",
                "\(isLeft) && exec sleep 600; setsid /bin/sh -c '\(left)' & until \(isLeft); do sleep 0.01; done; exit 1"
            )
            try withTree([crasher]) { tree, client in
                try waitFor("the replacement") {
                    try client.status("crasher")["last_end"] is [String: Any] && client.state("crasher") == "ready"
                }
                #expect(try !tree.isAlive(#require(tree.registered("left").first)))
            }
        }

        @Test func crashedChildren_areReplacedAgainAndAgain_andLeaveNoCgroup() throws {
            let quick = child("quick", "leader-exits", "1") { $0.policy.delay.parkAfter = 1000 }
            try withTree([quick]) { tree, client in
                let events = try client.request("events")
                for _ in 0..<10 {
                    _ = try client.event(events) { $0["message_id"] as? String == EventKind.ended.messageID }
                }
                for pid in tree.registered("left").dropLast() { #expect(!tree.isAlive(pid)) }
            }
        }
    }
}
