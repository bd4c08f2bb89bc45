import Glibc
import Plan
import SupervisorCore
import System
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(2))) struct LogTests {
        @Test func noNumberedLineIsLost_over50KillsOfLogWriter_andNobodyElseRestarts() throws {
            let count = 20_000
            let tree = try RunningTree(Plan(children: [logWriter, child("talker", "lines", "\(count)", "200")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let talker = try client.pid("talker")
            let events = try client.request("events")
            for _ in 0..<50 {
                let status = try client.status("log-writer")
                kill(try #require(status["pid"] as? Int32), SIGKILL)
                _ = try client.ready("log-writer", events, after: status["run"] as? String)
            }
            #expect(try client.pid("talker") == talker)
            // The last line comes when it comes: the file is what is waited for.
            let file = tree.state + "/logs/talker/current"
            let missing = waitForLines(count, in: { tree.file(file) })
            #expect(missing.isEmpty, "missing: \(missing.prefix(10))")
            #expect(try tree.stop() == .code(0))
        }

        @Test func everyLineIsThere_whenTheWriterIsKilledAgainAndAgain() throws {
            let talker = script("talker", "\(Built.fixture) lines-exit 500; exit 1") {
                $0.policy.delay.parkAfter = 1000
            }
            let tree = try RunningTree(Plan(children: [logWriter, talker]))
            let client = try tree.client()
            let events = try client.request("events")
            var last = ""
            for _ in 0..<20 {
                let ended = try client.event(events) {
                    $0["message_id"] as? String == EventKind.ended.messageID && $0["child"] as? String == "talker"
                }
                last = ended["run"] as? String ?? "?"
            }
            #expect(try tree.stop() == .code(0))
            let lines = tree.file(tree.state + "/logs/talker/current").split(separator: "\n")
            #expect(lines.count { $0.contains(" \(last) ") } == 500)
        }

        @Test func holderOfAPipe_delaysNothing_andAtMostFourRunsAreKept() throws {
            let tree = try RunningTree(Plan(children: [logWriter, child("holder", "hold-pipe", "1")]))
            let client = try tree.client()
            let events = try client.request("events")
            for _ in 0..<8 {
                _ = try client.event(events) {
                    $0["message_id"] as? String == EventKind.ended.messageID && $0["child"] as? String == "holder"
                }
            }
            #expect(try tree.stop() == .code(0))
            for pid in tree.registered("holder") { #expect(!tree.isAlive(pid)) }
        }

        @Test func flood_isSuppressedAndShownByStatusAndAnEvent() throws {
            let flood = script("flood", "\(Built.fixture) lines-exit 5000; exec sleep 1000") {
                $0.log.rate = LogRate(lines: 100, window: .seconds(1))
            }
            let tree = try RunningTree(Plan(children: [logWriter, flood]))
            let client = try tree.client()
            let events = try client.request("events")
            let event = try client.event(events) {
                $0["message_id"] as? String == EventKind.outputSuppressed.messageID
            }
            #expect(event["child"] as? String == "flood")
            let log = try #require(client.status("flood")["log"] as? [String: Any])
            let suppressed = try #require(log["suppressed"] as? Int)
            let lines = try #require(log["lines"] as? Int)
            #expect(suppressed > 0 && lines >= 100 && lines + suppressed <= 5000 && log["dropped"] as? Int == 0)
            #expect(try tree.stop() == .code(0))
            let text = tree.file(tree.state + "/logs/flood/current")
            #expect(text.contains(" W4- more than 100 lines in 1 s: ") && text.contains(" lines were suppressed here"))
        }

        @Test func withoutLogWriter_aFullPipeIsEmptiedAfterSeconds_andCounted() throws {
            var absent = logWriter
            absent.executable = "/nonexistent/log-writer"
            let tree = try RunningTree(Plan(children: [absent, child("flood", "flood", "1")]))
            let client = try tree.client()
            let events = try client.request("events")
            let dropped = try client.event(events, within: .seconds(40)) {
                $0["message_id"] as? String == EventKind.outputDropped.messageID
            }
            let fields = try #require(dropped["fields"] as? [String: String])
            #expect(Int(fields["BYTES"] ?? "") ?? 0 >= 32_768)
            #expect(dropped["child"] as? String == "flood")
            #expect(try tree.stop() == .code(0))
        }

        @Test func wordsOfNexusd_reachTheLog_alsoTheLastOnes() throws {
            let tree = try RunningTree(Plan(children: [logWriter, child("one", "serve")]))
            _ = try tree.client().ask("wait-ready")
            #expect(try tree.stop() == .code(0))
            let log = tree.file(tree.state + "/logs/nexusd/current")
            #expect(log.contains("one is ready."))
            #expect(log.contains("Stopping one (asked)."))
            #expect(log.contains("one ended after"))
        }

        @Test func secretInTheEnvironment_isGivenAndBlottedOut() throws {
            let talker = script(
                "talker", "echo \"secret is $TOKEN\"; cat \"$CREDENTIALS_DIRECTORY/token\"; exec sleep 1000"
            ) {
                $0.environment.append(Variable(name: "TOKEN", value: Text(pieces: [.secret(0)])))
                $0.secretFiles = [0]
                $0.readiness = .logLine(.init(pieces: [.literal("secret is ")]))
                $0.policy.ready = .reported
            }
            let plan = Plan(
                children: [logWriter, talker], secrets: [SecretPlan(name: "token", source: .generated(bytes: 16))])
            let tree = try RunningTree(plan)
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            let file = tree.runtime + "/credentials/talker/token"
            let secret = tree.file(file)
            #expect(secret.count == 32)
            _ = try client.ask("stop talker")
            #expect(tree.file(file) == "")
            _ = try tree.stop()
            let log = tree.file(tree.state + "/logs/talker/current")
            #expect(log.contains("secret is "))
            #expect(!log.contains(secret))
        }

        /// Numbers below `count` that no line ends with, once the last one is there (or time is up).
        private func waitForLines(_ count: Int, in file: () -> String) -> [Int] {
            let kernel = LiveKernel()
            let limit = kernel.monotonic() + .seconds(60)
            while true {
                var seen = Set<Int>()
                for line in file().split(separator: "\n") {
                    if let number = line.split(separator: " ").last.flatMap({ Int($0) }) { seen.insert(number) }
                }
                let missing = (0..<count).filter { !seen.contains($0) }
                if missing.isEmpty || kernel.monotonic() > limit { return missing }
                usleep(50_000)
            }
        }
    }
}
