import Chance
import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(2))) struct LogTests {
        @Test func noNumberedLineIsLost_over50KillsOfLogWriter_andNobodyElseRestarts() throws {
            let count = 20_000
            var keeper = logWriter
            // One that was ready is replaced at once: 50 kills take seconds.
            keeper.policy.delay.stableAfter = .nanoseconds(1)
            let tree = try RunningTree(Plan(children: [keeper, child("talker", "lines", "\(count)", "200")]))
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

        @Test func bookOfRuns_damagedOrADirectory_isSaidInStatusUntilItIsPutRight() throws {
            let kernel = LiveKernel()
            let tree = try RunningTree(Plan(children: [logWriter, child("other", "serve")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let book = tree.state + "/logs/runs"
            func awaitNote(_ words: String) throws {
                try waitFor(words) {
                    let notes = try client.object("status")["notes"] as? [String] ?? []
                    return notes.contains { $0.hasPrefix("the book of runs \(book) ") && $0.contains(words) }
                }
            }
            func killLogWriter() throws {
                _ = try client.ask("wait-ready")
                kill(try #require(try client.pid("log-writer")), SIGKILL)
            }
            try kernel.replaceFile(book, with: [0, 1, 2, 0x0A], mode: 0o640)
            try killLogWriter()
            try awaitNote("was damaged (1 line)")
            #expect(tree.file(book + ".damaged").hasPrefix("\u{0}\u{1}\u{2}\n"))
            try waitFor("a directory") {
                try? kernel.removeFile(book)
                return (try? kernel.makeDirectory(book, mode: 0o700)) != nil
            }
            try killLogWriter()
            try awaitNote("a directory is in the place of a file: move it away")
            try #require(rmdir(book) == 0)
            _ = try client.ask("restart other")
            try awaitNote("was damaged at an earlier start")
            #expect(try tree.stop() == .code(0))
        }

        @Test func noLineIsLost_overFiftyKillsOfLogWriterAndWritersTogether() throws {
            let files = TemporaryDirectory()
            let writers = ["quick", "slow"]
            let children = zip(writers, ["50", "1000"]).map { name, pause in
                child(name, "count-in", files.path + "/" + name, pause) { writer in
                    writer.policy.delay = DelayRule(first: .zero, cap: .milliseconds(5), stableAfter: .milliseconds(1))
                    writer.policy.delay.parkAfter = .max
                    writer.log.fileBytes = 1 << 30
                }
            }
            var keeper = logWriter
            // One that was ready is replaced at once: 50 kills take seconds.
            keeper.policy.delay.stableAfter = .nanoseconds(1)
            let tree = try RunningTree(Plan(children: [keeper] + children))
            let client = try tree.client()
            let events = try client.request("events")
            _ = try client.ask("wait-ready")
            let seed = Chance.seed()
            var random = SplitMix(seed: seed)
            for round in 1...50 {
                // The instant of the kill is the fault: at once, or when something was read and written.
                usleep(UInt32(random.next(below: 30_000)))
                // All are looked at first: whoever waits for an answer does not see an event that comes before it.
                let all = try (["log-writer"] + writers).map { try client.status($0) }
                let last = all[0]["run"] as? String ?? ""
                for status in all { if let pid = status["pid"] as? Int32 { kill(pid, SIGKILL) } }
                // Now and then it is killed again before it serves, and is away for its delay.
                if round % 5 != 0 { _ = try client.ready("log-writer", events, after: last) }
            }
            #expect(try tree.stop() == .code(0))
            for name in writers {
                let counter = try LiveKernel().readFile(files.path + "/" + name, limit: 8)
                let count = counter.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
                let missing = missingLines(below: count, in: tree.file(tree.state + "/logs/\(name)/current"))
                #expect(count > 100)
                #expect(missing.isEmpty, "\(missing.count) of \(count) lines of \(name): \(missing.prefix(10))")
            }
        }

        @Test func outputThatNoLogWriterReads_holdsReplacementsBack_thenIsGivenUpAloud() throws {
            var absent = logWriter
            absent.executable = "/nonexistent/log-writer"
            let talker = script("talker", "\(Built.fixture) lines-exit 3; exit 1") {
                $0.policy.delay = DelayRule(first: .zero, cap: .milliseconds(5), parkAfter: .max)
            }
            let tree = try RunningTree(Plan(children: [absent, talker]))
            let client = try tree.client()
            let events = try client.request("events")
            var starts = 0
            let kernel = LiveKernel()
            var lastStart = kernel.monotonic()
            let dropped = try client.event(events, within: .seconds(40)) {
                let kind = $0["message_id"] as? String
                if kind == EventKind.starting.messageID, $0["child"] as? String == "talker" {
                    starts += 1
                    if starts == ChildCell.undrainedRuns { lastStart = kernel.monotonic() }
                }
                return kind == EventKind.outputDropped.messageID
            }
            #expect(kernel.monotonic() - lastStart > CrowdedChildren.patience - .seconds(1))
            #expect(starts == ChildCell.undrainedRuns + 1)
            let fields = try #require(dropped["fields"] as? [String: String])
            #expect(fields["LINES"] == "3")
            // Held back again; who stops it does not wait for that.
            let asked = kernel.monotonic()
            _ = try client.ask("stop talker")
            #expect(kernel.monotonic() - asked < .seconds(4))
            #expect(try tree.stop() == .code(0))
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

        @Test func directoryThatCannotBeMade_isNamedWithItsReasonAndRemedy_andNoReplacementWaits() throws {
            let talker = script("talker", "\(Built.fixture) lines-exit 3; exec sleep 1000") {
                $0.policy.enabled = false
            }
            let tree = try RunningTree(Plan(children: [logWriter, talker]))
            let client = try tree.client()
            _ = try client.ask("wait-ready log-writer")
            let place = tree.state + "/logs/talker"
            try LiveKernel().replaceFile(place, with: [], mode: 0o600)
            let events = try client.request("events")
            _ = try client.ask("start talker")
            let why =
                "\(place) takes nothing: Not a directory (ENOTDIR); something else is in the place of a directory: "
            // The lines may have been given up in parts.
            for words in ["What talker says is not filed: \(why)", " dropped: \(why)"] {
                _ = try client.event(events) { ($0["message"] as? String)?.contains(words) == true }
            }
            try LiveKernel().removeFile(place)
            _ = try client.ask("restart talker")
            _ = try client.event(events) { $0["message"] as? String == "What talker says is filed again." }
            #expect(try tree.stop() == .code(0))
            // In one note or in several, as they were given up.
            let filed = tree.file(place + "/current")
            #expect(filed.contains(/[0-9]+ lines? (is|are) missing here: Not a directory \(ENOTDIR\)/), "\(filed)")
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

        /// Numbers below `count` that no line ends with.
        private func missingLines(below count: Int, in text: String) -> [Int] {
            var seen = Set<Int>()
            for line in text.split(separator: "\n") {
                if let number = line.split(separator: " ").last.flatMap({ Int($0) }) { seen.insert(number) }
            }
            return (0..<count).filter { !seen.contains($0) }
        }

        /// Numbers below `count` that no line ends with, once the last one is there (or time is up).
        private func waitForLines(_ count: Int, in file: () -> String) -> [Int] {
            let kernel = LiveKernel()
            let limit = kernel.monotonic() + .seconds(60)
            while true {
                let missing = missingLines(below: count, in: file())
                if missing.isEmpty || kernel.monotonic() > limit { return missing }
                usleep(50_000)
            }
        }
    }
}
