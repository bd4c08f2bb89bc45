import Glibc
import Plan
import SupervisorCore
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// Why a child is not healthy, and what a probe leaves behind.
    @Suite(.timeLimit(.minutes(1))) struct HealthTreeTests {
        @Test func missedProbe_isSaidInStatus_untilOneSucceeds() throws {
            let flag = TemporaryFlag()
            let probe = Probe.exec(
                executable: "/bin/sh", arguments: [Text("sh"), Text("-c"), Text("test -e \(flag.path) || exit 7")],
                timeout: .seconds(5))
            let checked = child("checked", "serve") {
                $0.liveness = probe
                $0.policy.liveness = LivenessRule(interval: .milliseconds(20), misses: 100)
            }
            let tree = try RunningTree(Plan(children: [checked]))
            let client = try tree.client()
            var health: String?
            while health == nil { health = try client.status("checked")["health"] as? String }
            #expect(health == "the probe ended with exit 7")
            flag.set()
            while health != nil { health = try client.status("checked")["health"] as? String }
            #expect(try client.state("checked") == "ready")
        }

        /// The probe starts a process that would outlive it by far; only the probe's own end is in the plan.
        @Test func probeBeyondItsTimeout_isEndedWithWhatItStarted_andTheChildIsNot() throws {
            let probe = Probe.exec(
                executable: Built.fixture, arguments: [Text("fixture"), Text("probe-family")],
                timeout: .milliseconds(500))
            let checked = child("checked", "serve") {
                $0.liveness = probe
                $0.policy.liveness = LivenessRule(interval: .milliseconds(50), misses: 100)
            }
            let tree = try RunningTree(Plan(children: [checked]))
            let client = try tree.client()
            while tree.registered("prober-child").isEmpty { usleep(1000) }
            let left = try #require(tree.registered("prober-child").first)
            let leader = try #require(tree.registered("prober").first)
            while tree.isAlive(left) || tree.isAlive(leader) { usleep(1000) }
            var health: String?
            while health == nil { health = try client.status("checked")["health"] as? String }
            #expect(health == "no answer within 500 ms")
            #expect(try client.state("checked") == "ready")
        }
    }
}
