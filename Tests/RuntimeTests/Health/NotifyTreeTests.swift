import Plan
import SupervisorCore
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// What a child may and may not do with its notify socket, in whole trees.
    @Suite(.timeLimit(.minutes(1))) struct NotifyTreeTests {
        private func notifying(_ name: String, _ verb: String...) -> ChildPlan {
            child(name, readiness: .notify) { child in
                child.arguments += verb.map { Text($0) }
                child.policy.restart = .never
            }
        }

        private func causeOfTheEnd(_ child: ChildPlan) throws -> String? {
            let tree = try RunningTree(Plan(children: [child]))
            return try tree.client().end(of: child.name)["cause"] as? String
        }

        @Test func wordIntoAnotherChildsSocket_isNotHeard_andSaid() throws {
            let tree = try RunningTree(
                Plan(children: [
                    child("honest", "never-ready", readiness: .notify),
                    child("forger", "notify-other", "honest", "READY=1\nSTATUS=forged", readiness: .notify) {
                        $0.policy.after = []
                    },
                ]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready forger") == .reply(#"{"ready":true}"#))
            #expect(try client.state("honest") == "starting")
            #expect(try client.status("honest")["status"] is String == false)
            let said = try tree.said()
            #expect(said.contains("wrote to the notify socket of honest and is not of its run"), "\(said)")
        }

        @Test func messageAbove4KiB_isNotHeard_andSaidOnce() throws {
            let long = "STATUS=" + String(repeating: "x", count: 5000)
            let tree = try RunningTree(Plan(children: [notifying("self", "notify-words", long, long, "READY=1")]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            let said = try tree.said()
            #expect(
                said.components(separatedBy: "self sent a message of more than 4096 bytes on its notify socket").count
                    == 2,
                "\(said)")
            #expect(try tree.stop() == .code(0))
        }

        @Test func wordThatIsNotTaken_isSaidOnceARunAndName_andChangesNothing() throws {
            let wrong = [
                "WATCHDOG_USEC=abc", "WATCHDOG_USEC=5000", "WATCHDOG_USEC=7200000000", "EXTEND_TIMEOUT_USEC=-5",
                "READY=0\nREADY=2", "STOPPING=yes", "WATCHDOG=foo\nX_OTHER=1", "BARRIER=1",
            ]
            // The watchdog that it has stays in force: it bites.
            let hangs = child("self", readiness: .notify) { child in
                child.arguments += (["notify-words", "READY=1"] + wrong).map { Text($0) }
                child.policy.watchdog = .milliseconds(500)
                child.policy.restart = .never
            }
            let tree = try RunningTree(Plan(children: [hangs]))
            #expect(try tree.client().end(of: "self")["cause"] as? String == "watchdog")
            let said = try tree.said()
            for name in NotifyWord.Name.allCases {
                let sentence = "self sent \(name.rawValue)="
                #expect(said.components(separatedBy: sentence).count == 2, "\(name): \(said)")
            }
            #expect(said.contains("self sent WATCHDOG_USEC=abc on its notify socket, which is not heard: it takes"))
            #expect(!said.contains("X_OTHER"))
            #expect(try tree.stop() == .code(0))
        }

        @Test func trigger_isWhatWhySays_andNotThatNothingCame() throws {
            let tree = try RunningTree(
                Plan(children: [notifying("self", "notify-words", "READY=1", "WATCHDOG=trigger")]))
            let client = try tree.client()
            #expect(try client.end(of: "self")["detail"] as? String == "it said WATCHDOG=trigger")
            let why = try client.object("why self")
            let rule = try #require(why["cause_rule"] as? String)
            #expect(rule.hasPrefix("it said itself that it hangs (WATCHDOG=trigger)"), "\(rule)")
            let keys = (why["settings"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String }
            #expect(!keys.contains("child.self.watchdog"), "\(keys)")
            #expect(try tree.stop() == .code(0))
        }

        @Test func trigger_endsTheRunAsItsSilenceWould() throws {
            #expect(
                try causeOfTheEnd(notifying("self", "notify-words", "READY=1", "WATCHDOG=trigger")) == "watchdog")
        }

        @Test func runThatSaysItStops_andStays_isKilled_andThatIsSaid() throws {
            let slow = child("slow", "notify-words", "READY=1", "STOPPING=1", readiness: .notify) { child in
                child.policy.stop.timeout = .milliseconds(200)
                child.policy.restart = .never
            }
            let tree = try RunningTree(Plan(children: [slow]))
            let client = try tree.client()
            let end = try client.end(of: "slow")
            #expect(end["exit"] as? String == "signal 9 (KILL)")
            let detail = try #require(end["detail"] as? String)
            #expect(
                detail.hasPrefix("it said STOPPING=1 and had not ended after ")
                    && detail.hasSuffix("(`stop-timeout`): nexusd killed it"))
            let why = try client.object("why slow")
            let keys = (why["settings"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String }
            #expect(keys.first == "child.slow.stop-timeout", "\(keys)")
            #expect(try tree.stop() == .code(0))
        }

        @Test func intervalByMessage_bitesWithoutOneInThePlan() throws {
            #expect(
                try causeOfTheEnd(notifying("late", "notify-words", "READY=1\nWATCHDOG_USEC=100000")) == "watchdog")
        }

        @Test func mainPID_isNotFollowed_andSaidOnce() throws {
            let words = ["MAINPID=1", "MAINPID=1", "READY=1\nRELOADING=1\nSTATUS=up"]
            let tree = try RunningTree(
                Plan(children: [child("x", "notify-words", words[0], words[1], words[2], readiness: .notify)]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try client.pid("x") == tree.registered("main").first)
            let status = try client.status("x")
            #expect(status["state"] as? String == "ready" && status["status"] as? String == "up")
            #expect(try tree.said().components(separatedBy: "which is not followed").count == 2)
        }
    }
}
