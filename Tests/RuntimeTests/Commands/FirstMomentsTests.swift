import Plan
import SupervisorCore
import Testing

@testable import Runtime

extension WholeTrees {
    /// `start` and `restart` of a child whose exec is all that shows it to be ready.
    @Suite(.timeLimit(.minutes(1))) struct FirstMomentsTests {
        /// Ends and is not back before anybody has looked.
        private func ending(_ name: String, _ text: String, change: (inout ChildPlan) -> Void = { _ in }) -> ChildPlan {
            script(name, text) {
                $0.policy.enabled = false
                $0.policy.delay = DelayRule(first: .seconds(20), cap: .seconds(20))
                change(&$0)
            }
        }

        private func tree() throws -> RunningTree {
            let group = GroupID(rawValue: 0)
            var good = script("good", "exec sleep 1000")
            good.policy.group = group
            var bad = ending("bad", "exit 3")
            bad.policy.group = group
            return try RunningTree(
                Plan(
                    groups: [GroupPlan(name: "both", policy: GroupPolicy(children: [.a, .b]))],
                    children: [
                        good, bad, ending("once", "exit 0") { $0.policy.restart = .onFailure },
                        ending("useless", "exit 0"),
                    ]))
        }

        @Test(arguments: ["start", "restart"]) func childThatEndsAtOnce_isAFailure_withWhatIsKnown(verb: String) throws
        {
            let tree = try tree()
            let answer = try tree.ctl(verb, "bad")
            #expect(answer.status == 1 && answer.output.isEmpty, "\(answer)")
            #expect(
                answer.errors.hasPrefix("nexusctl: bad was started (ready means: spawned) and ended again after ")
                    && answer.errors.contains("ms (crash: exit 3)\n"), "\(answer)")
            #expect(
                answer.errors.contains("next try in ") && answer.errors.contains("; see: nexusctl why bad\n"),
                "\(answer)")
            let useless = try tree.ctl(verb, "useless")
            #expect(useless.status == 1 && useless.errors.contains("(config: exit 0)"), "\(useless)")
        }

        @Test func whatStays_orSucceeds_isDone_andEachOfSeveralIsSaid() throws {
            let tree = try tree()
            #expect(try tree.ctl("restart", "good").output == "good: ready again\n")
            let once = try tree.ctl("start", "once")
            #expect(once.status == 0 && once.output == "once: ready\n", "\(once)")
            let several = try tree.ctl("start", "good", "child:bad", "--json")
            #expect(several.status == 1)
            let results = several.object["results"] as? [[String: Any]] ?? []
            #expect(results.map { $0["outcome"] as? String } == ["unchanged", "failed"], "\(several)")
            #expect((results.last?["error"] as? String)?.contains("exit 3") == true, "\(several)")
            let group = try tree.ctl("restart", "group:both")
            #expect(group.status == 1 && group.errors.contains("bad was started"), "\(group)")
            #expect(try tree.ctl("restart", "bad", "--no-wait").status == 0)
        }
    }
}
