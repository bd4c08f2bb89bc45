import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// log-writer itself is the fault: it ends again and again, lives without doing anything, or has no room.
    @Suite(.timeLimit(.minutes(2))) struct LogWriterFaultTests {
        @Test func logWriterThatStartsAndEnds_isAsAbsentAsNone() throws {
            var failing = logWriter
            failing.executable = "/bin/false"
            failing.arguments = [Text("false")]
            let tree = try RunningTree(Plan(children: [failing, child("flood", "flood", "1")]))
            let client = try tree.client()
            let events = try client.request("events")
            let dropped = try client.event(events, within: .seconds(40)) {
                $0["message_id"] as? String == EventKind.outputDropped.messageID
            }
            #expect(dropped["child"] as? String == "flood")
            #expect(notes(try client.object("status")).contains { $0.hasPrefix("no log-writer serves: ") })
            #expect(try tree.stop() == .code(0))
        }

        /// Its own words come by no log: nobody would write them.
        @Test func lastWordsOfALogWriterThatEnds_standInItsWhy() throws {
            var failing = logWriter
            failing.executable = "/bin/sh"
            failing.arguments = [Text("sh"), Text("-c"), Text("echo there is no room for me >&2; exit 1")]
            let tree = try RunningTree(Plan(children: [failing, child("web", "serve")]))
            let client = try tree.client()
            try waitFor("its last words") {
                let lines = try client.object("why log-writer")["last_lines"] as? [String] ?? []
                return lines.contains { $0.hasSuffix("there is no room for me") }
            }
            let answer = try tree.ctl("why", "log-writer")
            #expect(answer.status == 0 && answer.output.contains("there is no room for me"), "\(answer)")
            #expect(!(try tree.ctl("why", "web").output.contains("no room")), "they are nobody else's")
            #expect(try tree.stop() == .code(0))
        }

        /// Its program is taken away under it: nobody replaces it, and a child is held up as long as one might.
        @Test func logWriterThatIsGoneForGood_costsNothingForFiveSeconds() throws {
            let folder = TemporaryDirectory()
            var keeper = logWriter
            keeper.executable = folder.path + "/log-writer"
            try #require(symlink(Built.logWriter, keeper.executable) == 0)
            let flood = child("flood", "flood", "1") { $0.policy.enabled = false }
            let tree = try RunningTree(Plan(children: [keeper, flood]))
            let client = try tree.client()
            _ = try client.ask("wait-ready log-writer")
            let events = try client.request("events")
            let other = try tree.client()
            try #require(unlink(keeper.executable) == 0)
            let before = LiveKernel().wallClock()
            kill(try #require(try other.pid("log-writer")), SIGKILL)
            _ = try other.ask("start flood")
            let dropped = try client.event(events, within: .seconds(40)) {
                $0["message_id"] as? String == EventKind.outputDropped.messageID
            }
            #expect(dropped["child"] as? String == "flood")
            #expect(try stamp(dropped) >= before / 1_000_000 + 5000)
            #expect(try tree.stop() == .code(0))
        }

        @Test func logWriterThatIsStopped_isReplacedAsHanging_andNothingIsLost() throws {
            let count = 20_000
            let tree = try RunningTree(Plan(children: [logWriter, child("talker", "lines", "\(count)", "500")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let events = try client.request("events")
            let before = try client.status("log-writer")
            kill(try #require(before["pid"] as? Int32), SIGSTOP)
            let ended = try client.event(events) {
                $0["message_id"] as? String == EventKind.ended.messageID && $0["child"] as? String == "log-writer"
            }
            #expect((ended["fields"] as? [String: String])?["CAUSE"] == "watchdog")
            _ = try client.ready("log-writer", events, after: before["run"] as? String)
            try waitFor("the last line") {
                tree.file(tree.state + "/logs/talker/current").hasSuffix(" \(count - 1)\n")
            }
            #expect(try tree.stop() == .code(0))
            let text = tree.file(tree.state + "/logs/talker/current")
            let said = Set(text.split(separator: "\n").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } })
            #expect((0..<count).allSatisfy(said.contains))
            #expect(tree.file(tree.state + "/logs/nexusd/current").contains("log-writer has not answered for "))
        }

        private func talker() -> ChildPlan {
            script("talker", "trap 'echo last words; exit 0' TERM; echo hello; while :; do sleep 0.05; done")
        }

        /// The tree ends around it: it is found out, killed and replaced once more, at the second signal sooner.
        @Test(arguments: [1, 2]) func logWriterThatIsStoppedAtTheEnd_isReplaced_andNothingIsLost(signals: Int) throws {
            let tree = try RunningTree(Plan(children: [logWriter, talker()]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            try waitFor("hello") { tree.file(tree.state + "/logs/talker/current").contains("hello") }
            let run = try #require(try client.status("talker")["run"] as? String)
            kill(try #require(try client.pid("log-writer")), SIGSTOP)
            var said = ""
            for words in ["stopped in order", "stopped at once"].prefix(signals) {
                try tree.signal(.terminate)
                try waitFor(words) {
                    said += try tree.said()
                    return said.contains(words)
                }
            }
            #expect(try tree.end() == .code(0))
            #expect(tree.file(tree.state + "/logs/talker/current").contains("last words"))
            #expect(tree.file(tree.state + "/logs/runs").contains(" \(run) ended talker "))
            said += try tree.said()
            #expect(!said.contains("are lost"), "\(said)")
        }

        /// It goes last, and is not waited for: what that costs is said, and the next start knows whose end is missing.
        @Test func thirdSignal_waitsForNoLogWriter_andSaysWhatIsLost() throws {
            let tree = try RunningTree(Plan(children: [logWriter, talker()]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            try waitFor("hello") { tree.file(tree.state + "/logs/talker/current").contains("hello") }
            let run = try #require(try client.status("talker")["run"] as? String)
            kill(try #require(try client.pid("log-writer")), SIGSTOP)
            var said = ""
            try tree.signal(.terminate)
            // The last words are in the pipe before it is killed.
            try waitFor("the end of talker") { try client.status("talker")["state"] as? String == "off" }
            for _ in 0..<2 {
                try tree.signal(.terminate)
                try waitFor("it to be taken") {
                    said += try tree.said()
                    return said.contains("at once, with one second each")
                }
            }
            #expect(try tree.end() == .code(0))
            said += try tree.said()
            #expect(said.contains("by SIGKILL"), "\(said)")
            #expect(said.contains("11 bytes of talker are lost: log-writer had not taken them."), "\(said)")
            #expect(!tree.file(tree.state + "/logs/talker/current").contains("last words"))
            #expect(!tree.file(tree.state + "/logs/runs").contains(" \(run) ended talker "))
        }

        @Test func logWriterOfASilentTree_isNotAsked() throws {
            let tree = try RunningTree(Plan(children: [logWriter, child("silent", "serve")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            // The control socket wakes nexusd without a word to log-writer; what it says at its start is answered for.
            func woken() throws -> Int {
                let nexusd = try client.object("metrics")["nexusd"] as? [String: Any]
                let counts = (nexusd?["turns"] as? [String: Any])?["counts"] as? [Int]
                return try #require(counts).reduce(0, +)
            }
            // What nexusd said at the start is told as counted 10 s later at most; then nothing is left to wake anybody.
            let kernel = LiveKernel()
            var last = try woken()
            var quiet = 0
            let limit = kernel.monotonic() + .seconds(40)
            while quiet < 2, kernel.monotonic() < limit {
                // A span of time without a wake-up is what is measured.
                usleep(2_000_000)
                let now = try woken()
                quiet = now - last <= 2 ? quiet + 1 : 0
                last = now
            }
            #expect(quiet == 2)
            #expect(try tree.stop() == .code(0))
        }

        @Test func logWriter_isNotStoppedByCommand() throws {
            let tree = try RunningTree(Plan(children: [logWriter, child("web", "serve")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            guard case .error(let code, let message) = try client.ask("stop log-writer") else {
                Issue.record("it was stopped")
                return
            }
            #expect(code == "refused" && message.hasPrefix("log-writer is not stopped alone: everything that is said"))
            #expect(message.hasSuffix("`nexusctl restart log-writer` gives it a new run"))
            #expect(try client.state("log-writer") == "ready")
            #expect(try client.ask("restart log-writer") == .reply(#"{"outcome":"done"}"#))
            #expect(try client.ask("stop all") == .reply(#"{"outcome":"done"}"#))
            #expect(try client.state("log-writer") == "ready")
            #expect(try tree.stop() == .code(0))
        }

        @Test(.enabled(if: SmallDisk.isPossible, "a full disk needs the right to mount a tmpfs"))
        func fullDisk_isServedOn_andWhatItCostIsSaid_alsoByTheNextLogWriter() throws {
            let kernel = LiveKernel()
            let small = try SmallDisk()
            defer { withExtendedLifetime(small) {} }
            let disk = small.path
            var keeper = logWriter
            keeper.arguments = [Text("log-writer"), Text("--directory"), Text(disk + "/logs"), Text("--no-journal")]
            keeper.policy.delay.stableAfter = .nanoseconds(1)
            let tree = try RunningTree(Plan(children: [keeper, child("talker", "lines", "1000000", "1000")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let events = try client.request("events")
            try waitFor("the first line") { tree.file(disk + "/logs/talker/current").contains(" line ") }
            let before = kernel.wallClock()
            try small.fill()
            // Killed on the full disk: the next one serves there, and drops by the 5 s rule.
            try killLogWriter(client, events)
            let dropped = try client.event(events, within: .seconds(40)) {
                ($0["message"] as? String)?.contains(" lines of talker were dropped: ") == true
            }
            #expect((dropped["message"] as? String)?.contains("No space left on device (ENOSPC)") == true)
            #expect(try stamp(dropped) >= before / 1_000_000 + 5000, "it is waited for as long as the rule says")
            let note = try #require(notes(try client.object("status")).first { $0.contains(" is not filed, ") })
            #expect(
                note.contains(" lines are lost so far: ") && note.hasSuffix("; make room on that file system"),
                "\(note)")
            // Killed before the file could say what is missing in it.
            try killLogWriter(client, events)
            try small.empty()
            _ = try client.event(events) { $0["message"] as? String == "What talker says is filed again." }
            // That one has tried it on the full disk, or came to it later.
            let reasons = [
                "the files took nothing, and log-writer was ended meanwhile", "No space left on device (ENOSPC)",
            ]
            try waitFor("a remark") {
                let lines = tree.file(disk + "/logs/talker/current")
                return reasons.contains { lines.contains(" lines are missing here: \($0)") }
            }
            #expect(!notes(try client.object("status")).contains { $0.contains("is not filed") })
            #expect(try tree.stop() == .code(0))
        }

        private func killLogWriter(_ client: ControlPeer, _ events: FrameID) throws {
            let status = try client.status("log-writer")
            kill(try #require(status["pid"] as? Int32), SIGKILL)
            _ = try client.ready("log-writer", events, after: status["run"] as? String)
        }

        /// When an event was told, in milliseconds since 1970.
        private func stamp(_ event: [String: Any]) throws -> Int64 { Int64(try #require(event["time_ms"] as? Int)) }

        private func notes(_ status: [String: Any]) -> [String] { status["notes"] as? [String] ?? [] }
    }

    /// The rule by which log-writer is asked for a sign of life.
    @Suite struct LogWriterPulseTests {
        @Test func silence_asksNobody_andNewsAreAskedAboutUntilThereAreNone() {
            let start = Instant(nanoseconds: 0)
            var pulse = LogWriterPulse()
            #expect(!pulse.ask(at: start) && pulse.deadline == nil && !pulse.isWatching)
            pulse.begin()
            #expect(pulse.deadline == nil && pulse.isWatching)
            #expect(pulse.ask(at: start) && !pulse.ask(at: start) && !pulse.isWatching)
            pulse.answered(isBehind: false, at: start)
            let rested = start + LogWriterPulse.pause
            #expect(pulse.deadline == rested)
            guard case .watch = pulse.step(at: rested, hasNews: { false }) else {
                Issue.record("nothing new is no reason to ask")
                return
            }
            #expect(pulse.deadline == nil && pulse.isWatching)
            _ = pulse.ask(at: rested)
            pulse.answered(isBehind: true, at: rested)
            guard case .ask = pulse.step(at: rested + LogWriterPulse.pause, hasNews: { false }) else {
                Issue.record("who is behind is asked again")
                return
            }
        }

        /// The others' last lines are on their way to it: it is asked at once, and at the second signal it has a second.
        @Test func logWriterThatIsToEnd_isNotLeftAlone_andHurried() {
            let start = Instant(nanoseconds: 0)
            var pulse = LogWriterPulse()
            pulse.begin()
            _ = pulse.ask(at: start)
            pulse.answered(isBehind: false, at: start)
            #expect(!pulse.ask(at: start) && pulse.ask(at: start, isLast: true))
            #expect(pulse.deadline == start + LogWriterPulse.patience)
            pulse.hurry(at: start)
            #expect(pulse.deadline == start + LogWriterPulse.hurriedPatience)
            pulse.hurry(at: start + .milliseconds(500))
            #expect(pulse.deadline == start + LogWriterPulse.hurriedPatience)
        }

        @Test func noAnswer_isTheEnd_unlessTheLoopWasLateItself() throws {
            let start = Instant(nanoseconds: 0)
            var pulse = LogWriterPulse()
            pulse.begin()
            _ = pulse.ask(at: start)
            pulse.extend(by: .seconds(7))
            let until = try #require(pulse.deadline)
            #expect(until == start + LogWriterPulse.patience + .seconds(7))
            guard case .nothing = pulse.step(at: start + LogWriterPulse.patience, hasNews: { true }),
                case .end(let silence) = pulse.step(at: until, hasNews: { true })
            else {
                Issue.record("it has to end then, and not before")
                return
            }
            #expect(silence == LogWriterPulse.patience)
            #expect(pulse.deadline == nil && !pulse.ask(at: until))
        }
    }
}
