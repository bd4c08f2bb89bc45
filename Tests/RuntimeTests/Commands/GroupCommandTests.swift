import Foundation
import Plan
import SupervisorCore
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// Commands that are given the name of a group.
    @Suite(.timeLimit(.minutes(1))) struct GroupCommandTests {
        private func tree(_ last: ChildPlan) throws -> RunningTree {
            let group = GroupID(rawValue: 0)
            var policy = GroupPolicy(
                children: [.a, .b], intensity: Intensity(restarts: 3, window: .seconds(60)), slowRetry: .seconds(300))
            policy.strategy = .oneForOne
            var first = child("alone", "serve")
            first.policy.group = group
            var last = last
            last.policy.group = group
            return try RunningTree(Plan(groups: [GroupPlan(name: "one", policy: policy)], children: [first, last]))
        }

        private static func parking(_ plan: inout ChildPlan) {
            plan.policy.delay = DelayRule(first: .milliseconds(1), cap: .milliseconds(1), parkAfter: 1)
        }

        @Test func why_saysWhatGovernsIt_andWhoHoldsItBack() throws {
            let tree = try tree(script("two", "exit 3", change: Self.parking))
            let peer = try ControlPeer(tree.socket)
            let events = try peer.request("events")
            if try peer.state("two") != "parked" {
                _ = try peer.event(events) { $0["message_id"] as? String == EventKind.parked.messageID }
            }
            let answer = try tree.ctl("why", "one")
            #expect(answer.status == 0, "\(answer.errors)")
            for words in [
                "group one is running\n", "  rule     a child that ends is started again alone (`strategy`)\n",
                "  next     1 of 2 children serve\n", "  gives up more than 3 restarts within 60 s in it (`intensity`)",
                "is tried once every 5 min (`slow-retry`)", "  child    two is parked: crash: exit 3; slow retry in",
                "  do       see `nexusctl why two`\n", "  setting  group.one.strategy = \"one-for-one\"",
                "group.one.slow-retry = 5min",
            ] { #expect(answer.output.contains(words), "\(answer.output)") }
            #expect(!answer.output.contains("alone is"))
            let json = try tree.ctl("why", "one", "--json").object
            #expect((json["group"] as? [String: Any])?["state"] as? String == "running")
            #expect(json["because"] is NSNull && json["rule"] is String)
        }

        @Test func prefixedNames_areTaken_whereTheyAreOfThatKind() throws {
            let tree = try tree(child("two", "serve"))
            _ = try ControlPeer(tree.socket).ask("wait-ready")
            let child = try tree.ctl("status", "child:two")
            #expect(child.status == 0 && child.output.contains("two") && !child.output.contains("alone"))
            #expect(try tree.ctl("status", "child:two", "--json").object["name"] as? String == "two")
            #expect(try tree.ctl("status", "group:one").output.contains("alone"))
            let members = try tree.ctl("status", "group:one", "--json").object["children"] as? [[String: Any]]
            #expect(members?.count == 2)
            #expect(try tree.ctl("is-ready", "child:two", "group:one").status == 0)
        }

        /// One that takes both, or one that takes a child: `NAME`, and `child:NAME` or `group:NAME` where it is of that kind.
        @Test func everyCommand_takesPrefixedNames() throws {
            let tree = try tree(child("two", "serve") { $0.policy.delay.stableAfter = .zero })
            _ = try ControlPeer(tree.socket).ask("wait-ready")
            #expect(try tree.ctl("restart", "two", "alone").status == 0, "so that both have a history")
            let ofBoth = ["status", "why", "wait", "is-ready", "history", "start", "reset", "restart", "stop", "start"]
            for command in ofBoth + ["recycle", "signal"] {
                let more = command == "signal" ? ["CONT"] : []
                for name in ["two", "child:two"] + (ofBoth.contains(command) ? ["one", "group:one"] : []) {
                    let answer = try tree.ctl([command, name] + more)
                    #expect(answer.status == 0, "\(command) \(name): \(answer.errors)")
                }
                for (name, words) in [
                    ("child:one", "'one' is a group, no child"), ("group:two", "'two' is a child, no group"),
                    ("group:none", "there is no group 'none'"),
                ] {
                    let wrong = try tree.ctl([command, name] + more)
                    #expect(wrong.status == 2, "\(command) \(name): \(wrong)")
                    if ofBoth.contains(command) { #expect(wrong.errors.contains(words), "\(command): \(wrong.errors)") }
                }
            }
            let group = try tree.ctl("history", "group:one").output
            #expect(group.contains(" two ") && group.contains(" alone "), "\(group)")
            let one = try tree.ctl("history", "child:two").output
            #expect(one.contains(" two ") && !one.contains(" alone "), "\(one)")
        }

        @Test func why_ofAParkedGroup_namesWhomItIsParkedFor() throws {
            let tree = try tree(
                script("two", "exit 3") {
                    Self.parking(&$0)
                    $0.policy.critical = true
                })
            let peer = try ControlPeer(tree.socket)
            try peer.wait(for: "alone", toBe: "parked")
            let answer = try tree.ctl("why", "one")
            #expect(answer.output.hasPrefix("group one is parked because of two\n"), "\(answer.output)")
            #expect(answer.output.contains("one try of all in 5 min, or `nexusctl start one` at once"))
            #expect(answer.output.contains("child.two.critical = true"))
        }

        @Test func waitAndIsReady_takeAGroupForItsChildren() throws {
            let tree = try tree(child("two", "serve") { $0.policy.enabled = false })
            #expect(try tree.ctl("wait", "one", "--timeout", "20s").status == 0)
            #expect(try tree.ctl("is-ready", "one").status == 0, "who is off in the file is not waited for")
            #expect(try tree.ctl("is-ready", "two").status == 1)
            #expect(try tree.ctl("is-ready", "all").status == 0 && tree.ctl("wait", "all").status == 0)
            #expect(try tree.ctl("stop", "alone").status == 0)
            #expect(try tree.ctl("is-ready", "group:one").status == 1)
            #expect(try tree.ctl("wait", "one", "--timeout", "20s").status == 1, "nobody of it is meant to run")
        }

        @Test func commandsForAChild_sayThatItIsAGroup() throws {
            let tree = try tree(child("two", "serve"))
            for words in [["recycle", "one"], ["signal", "one", "HUP"]] {
                let answer = try tree.ctl(words)
                #expect(answer.status == 2, "\(words)")
                #expect(
                    answer.errors.contains("'one' is a group; this takes a child: `nexusctl status one` shows them"),
                    "\(words): \(answer.errors)")
            }
            let wrong = try tree.ctl("why", "oen")
            #expect(wrong.status == 2 && wrong.errors.contains("did you mean 'one'?"), "\(wrong.errors)")
        }

        @Test func commandThatIsBegun_isTakenForHowItGoesOn() throws {
            #expect(try ctl(["stat"]).errors.contains("did you mean 'status'?"))
            #expect(try ctl(["strat"]).errors.contains("did you mean 'start'?"))
        }

        /// 881 ms were measured of a process that the kernel had ended at its hard limit of 1 s, among others that were busy.
        @Test func hardLimitOfProcessorTime_isRecognisedByALittleLessThanIt_andNotByMuchLess() {
            func isUsedUp(_ hard: UInt64, _ milliseconds: Int) -> Bool {
                Limit(resource: ResourceName.cpu.rawValue, soft: 1, hard: hard)
                    .isHardUsedUp(by: .milliseconds(milliseconds))
            }
            #expect(isUsedUp(1, 881) && isUsedUp(1, 1004) && isUsedUp(60, 59_800))
            #expect(!isUsedUp(1, 700) && !isUsedUp(2, 1000) && !isUsedUp(60, 59_000) && !isUsedUp(.max, 1000))
        }

        /// The kernel kills at the hard limit of processor time, and at the soft one ends with SIGXCPU.
        @Test(arguments: [(UInt64(1), "1s"), (UInt64.max, "1s")])
        func limitOfProcessorTime_isNamed(hard: UInt64, shown: String) throws {
            let busy = script("busy", "while :; do :; done") {
                $0.limits = [Limit(resource: ResourceName.cpu.rawValue, soft: 1, hard: hard)]
                Self.parking(&$0)
            }
            let tree = try RunningTree(Plan(children: [busy]))
            let peer = try ControlPeer(tree.socket)
            let events = try peer.request("events")
            if try peer.state("busy") != "parked" {
                _ = try peer.event(events) { $0["message_id"] as? String == EventKind.parked.messageID }
            }
            let answer = try tree.ctl("why", "busy").output
            #expect(answer.contains("  because  it had used up \(shown) of processor time, its limit\n"), "\(answer)")
            #expect(answer.contains("  setting  child.busy.limits.cpu = \(shown)"), "\(answer)")
            #expect(answer.contains("a limit of its own was reached (`limits.cpu`)"), "\(answer)")
        }

        /// Many a fault ends so: the kernel does not say which.
        @Test(arguments: [
            ("SEGV", ResourceName.stack, true), ("SEGV", .as, true), ("ABRT", .as, true), ("ABRT", .stack, false),
            ("BUS", .as, false),
        ])
        func limitThatMayBeBehindASignal_isHintedAt(signal: String, resource: ResourceName, isHinted: Bool) throws {
            let faulty = script("faulty", "kill -\(signal) $$; sleep 600") {
                $0.limits = [Limit(resource: resource.rawValue, soft: 4 << 30, hard: 4 << 30)]
                $0.policy.restart = .never
            }
            let tree = try RunningTree(Plan(children: [faulty]))
            let end = try tree.client().end(of: "faulty")
            let key = "limits.\(resource.name)"
            #expect(
                ((end["detail"] as? String)?.hasPrefix("it may have run into its limit `\(key)` (4") ?? false)
                    == isHinted)
            let why = try tree.ctl("why", "faulty").output
            #expect(why.contains("a limit of its own may be behind it (`\(key)`)") == isHinted, "\(why)")
        }
    }
}
