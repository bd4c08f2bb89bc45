import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// nexusd itself stands still for a while, as in a machine that was paused.
    @Suite(.timeLimit(.minutes(1))) struct GapTests {
        @Test func loopThatStoodStill_judgesNobodyForIt() throws {
            let flag = TemporaryFlag()
            let probe = Probe.exec(
                executable: "/bin/sh", arguments: [Text("sh"), Text("-c"), Text("echo probed >> \(flag.path)")],
                timeout: .seconds(1))
            let pinging = child("pinging", "ping", "200", readiness: .notify) {
                $0.policy.watchdog = .seconds(1)
                $0.policy.restart = .never
            }
            let probed = child("probed", "serve") {
                $0.liveness = probe
                $0.policy.liveness = LivenessRule(interval: .milliseconds(50), misses: 1)
                $0.policy.restart = .never
            }
            let tree = try RunningTree(Plan(children: [pinging, probed]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            let before = try (client.pid("pinging"), client.pid("probed"))
            try tree.signal(Signal(rawValue: 19))  // SIGSTOP
            // The gap itself is what is tested: longer than the 5 s from which on a loop counts as late.
            usleep(6_000_000)
            let probes = tree.file(flag.path).count
            try tree.signal(Signal(rawValue: 18))  // SIGCONT
            // Twenty rounds of probes are more than a second in which either could have been judged.
            while tree.file(flag.path).count < probes + 20 * "probed\n".count { usleep(10_000) }
            let after = try (client.pid("pinging"), client.pid("probed"))
            #expect(before.0 != nil && before.0 == after.0 && before.1 != nil && before.1 == after.1)
            #expect(try tree.stop() == .code(0))
        }
    }
}
