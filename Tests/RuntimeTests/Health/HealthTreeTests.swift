import Glibc
import Plan
import SupervisorCore
import System
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

        /// The secrets of its child's run: those of the moment may be others by now.
        @Test func execProbe_hasTheSecretsOfItsChild_asThatHasThem() throws {
            let secrets = TemporaryDirectory()
            let kernel = LiveKernel()
            let file = secrets.path + "/key"
            try kernel.replaceFile(file, with: Array("first\n".utf8), mode: 0o600)
            let words = "echo \"$CREDENTIALS_DIRECTORY $(cat \"$CREDENTIALS_DIRECTORY/key\") $KEY $MADE\""
            let (told, probed) = (secrets.path + "/child", secrets.path + "/probed")
            let asks = "test \"$(\(words))\" = \"$(cat \(told))\" || exit 3; echo >> \(probed)"
            let probe = Probe.exec(
                executable: "/bin/sh", arguments: [Text("sh"), Text("-c"), Text(asks)], timeout: .seconds(5))
            let checked = script("checked", words + " > \(told); exec sleep 600") {
                $0.environment.append(Variable(name: "KEY", value: Text(pieces: [.secret(0)])))
                $0.environment.append(Variable(name: "MADE", value: Text(pieces: [.secret(1)])))
                $0.secretFiles = [0]
                $0.liveness = probe
                $0.policy.liveness = LivenessRule(interval: .milliseconds(50), misses: 100)
            }
            let says = "CREDENTIALS_DIRECTORY is ${CREDENTIALS_DIRECTORY-unset}"
            let other = script("other", "exec sleep 600") {
                $0.liveness = .exec(
                    executable: "/bin/sh", arguments: [Text("sh"), Text("-c"), Text("echo \(says); exit 3")],
                    timeout: .seconds(5))
                $0.policy.liveness = LivenessRule(interval: .milliseconds(50), misses: 100)
            }
            let tree = try RunningTree(
                Plan(
                    children: [checked, other],
                    secrets: [
                        SecretPlan(name: "key", source: .file(file)),
                        SecretPlan(name: "made", source: .generated(bytes: 16)),
                    ]))
            let client = try tree.client()
            try waitFor("a probe that agrees") { !tree.file(probed).isEmpty }
            let child = tree.file(told)
            #expect(child.contains("/credentials/checked first first "), "\(child)")
            #expect(child.split(separator: " ").last?.count == 33, "\(child)")
            try kernel.replaceFile(file, with: Array("second\n".utf8), mode: 0o600)
            let before = tree.file(probed).count
            try waitFor("more of them") { tree.file(probed).count > before + 3 }
            #expect(try client.status("checked")["health"] is String == false)
            try waitFor("what the other's probe says") {
                try client.status("other")["health"] as? String
                    == "the probe ended with exit 3: CREDENTIALS_DIRECTORY is unset"
            }
            #expect(try tree.stop() == .code(0))
        }

        /// A tree whose one child is ill by this script, and how status says it.
        private func ill(by script: String) throws -> (RunningTree, health: String) {
            let checked = child("checked", "serve") {
                $0.liveness = .exec(
                    executable: "/bin/sh", arguments: [Text("sh"), Text("-c"), Text(script)], timeout: .seconds(15))
                $0.policy.liveness = LivenessRule(interval: .milliseconds(20), misses: 100)
            }
            let tree = try RunningTree(Plan(children: [checked]))
            let client = try tree.client()
            while true { if let health = try client.status("checked")["health"] as? String { return (tree, health) } }
        }

        /// More than a pipe holds: a probe that nobody reads would wait until its timeout.
        @Test func whatAProbeSays_itsLastLineStandsWithTheMiss_bounded_andNobodyWaits() throws {
            let text = "head -c 300000 /dev/zero | tr '\\0' x; echo; printf 'disk\\033[31m is full\\n' >&2; exit 3"
            let (tree, health) = try ill(by: text)
            #expect(health == "the probe ended with exit 3: disk is full")
            #expect(try tree.ctl("why", "checked").output.contains("disk is full"))
            #expect(try tree.stop() == .code(0))
        }

        @Test func lineOfAProbe_longerThanTheBound_showsItsEnd() throws {
            let text = "head -c 300000 /dev/zero | tr '\\0' x; echo ' is full'; exit 3"
            let (tree, health) = try ill(by: text)
            #expect(
                health.hasPrefix("the probe ended with exit 3: …xxx") && health.hasSuffix("xxx is full"), "\(health)")
            #expect(try tree.stop() == .code(0))
        }

        @Test func whyOfAWorker_standsInStatusAndWhy_boundedAndClean() throws {
            let why = "\u{1B}[31mred\u{7}\u{9B}31m queue\ttoo long " + String(repeating: "é", count: 2000)
            let judge = child(
                "judge", "judge", "checked", "unhealthy", why, readiness: .bus,
                worker: WorkerPlan(may: [.health(ChildID(rawValue: 1))]))
            let checked = child("checked", "serve") {
                $0.policy.liveness = LivenessRule(interval: .seconds(60), misses: 100)
            }
            let tree = try RunningTree(Plan(children: [checked, judge]))
            let client = try tree.client()
            var health: String?
            while health == nil { health = try client.status("checked")["health"] as? String }
            let text = try #require(health)
            #expect(text.hasPrefix("judge: "), "whose word it is")
            #expect(text.contains("red") && text.contains("queue"))
            #expect(text.utf8.count <= 1100)
            func isClean(_ text: String) -> Bool {
                text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }
            }
            #expect(isClean(text))
            for words in [["why", "checked"], ["status", "--color", "never"], ["why", "checked", "--json"]] {
                let answer = try tree.ctl(words)
                #expect(answer.status == 0 && answer.output.contains("judge: ") && isClean(answer.output), "\(words)")
            }
        }

        /// Nothing probes it: only the worker's word counts.
        @Test func childThatItsJudgeCallsUnhealthyOftenEnough_isEndedAsProbe_andComesBack() throws {
            let checked = child("checked", "serve") {
                $0.policy.liveness = LivenessRule(interval: .seconds(60), misses: 3)
            }
            let judge = child(
                "judge", "condemn", "checked", "3", readiness: .bus,
                worker: WorkerPlan(may: [.health(ChildID(rawValue: 1))])
            ) { $0.policy.requires = [ChildID(rawValue: 1)] }
            let tree = try RunningTree(Plan(children: [checked, judge, child("other", "serve")]))
            let client = try tree.client()
            let end = try client.end(of: "checked")
            #expect(end["cause"] as? String == "probe", "\(end)")
            #expect(end["detail"] as? String == "3 misses in a row, the last: judge: count 3", "\(end)")
            let why = try tree.ctl("why", "checked").output
            #expect(why.contains("judge: count 3"), "\(why)")
            // Of the run that ended, and not of the one that follows.
            try waitFor("the next run") { try client.state("checked") == "ready" }
            #expect(try client.status("checked")["health"] is String == false)
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try client.status("checked")["restarts"] as? Int == 1)
            #expect(try client.status("judge")["restarts"] as? Int == 0)
            #expect(try client.status("other")["restarts"] as? Int == 0)
            #expect(try tree.stop() == .code(0))
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
