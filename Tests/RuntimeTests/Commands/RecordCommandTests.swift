import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.serialized, .timeLimit(.minutes(2))) struct RecordCommandTests {
        private func crashed() throws -> RunningTree {
            let tree = try RunningTree(
                Plan(children: [
                    logWriter,
                    script("burner", "dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; echo last words; exit 3")
                    {
                        $0.policy.delay = DelayRule(first: .milliseconds(1), cap: .milliseconds(1), parkAfter: 2)
                    },
                ]))
            let peer = try ControlPeer(tree.socket)
            let events = try peer.request("events")
            if try peer.state("burner") != "parked" {
                _ = try peer.event(events) { $0["message_id"] as? String == EventKind.parked.messageID }
            }
            return tree
        }

        @Test func history_isThereBeforeAndAfterARestartOfNexusd_andWithoutIt() throws {
            let tree = try crashed()
            let first = try tree.ctl("history", "burner", "--json")
            let ends = try #require(first.object["ends"] as? [[String: Any]])
            #expect(first.status == 0 && ends.count == 2)
            #expect(ends.allSatisfy { $0["exit"] as? String == "exit 3" && $0["cause"] as? String == "crash" })
            #expect(
                ends.allSatisfy { $0["cpu_ms"] is Int && ($0["peak_bytes"] as? Int ?? 0) > 0 && $0["run"] is String })
            let table = try tree.ctl("history", "-n", "1")
            #expect(table.output.hasPrefix("ENDED ") && table.output.contains("exit 3"))
            #expect(table.output.split(separator: "\n").count == 2)
            _ = try tree.stop()
            let after = try tree.ctl("history", "burner", "--json")
            let book = try #require(after.object["ends"] as? [[String: Any]])
            #expect(after.status == 0)
            // The same runs with the same numbers, now from the book; milliseconds of the end aside.
            for (old, new) in zip(ends, book) {
                for key in ["run", "exit", "cause", "code", "ran_ms", "cpu_ms", "peak_bytes"] {
                    #expect("\(old[key] ?? "-")" == "\(new[key] ?? "-")", "\(key)")
                }
            }
            let unknown = try tree.ctl("history", "bruner")
            #expect(unknown.status == 2 && unknown.errors.contains("did you mean 'burner'?"))
        }

        @Test func historyOfAnUnknownChild_namesTheNearest() throws {
            let tree = try crashed()
            let answer = try tree.ctl("history", "bruner")
            #expect(answer.status == 2)
            #expect(answer.errors == "nexusctl: there is no child or group 'bruner'; did you mean 'burner'?\n")
        }

        @Test func events_areOneForm_fromTheLogsAndFromNexusd_andFollowingBeginsWithTheLast() throws {
            let tree = try crashed()
            let members = ["child", "fields", "message", "message_id", "priority", "run", "time_ms"]
            func objects(_ text: String) throws -> [[String: Any]] {
                try text.split(separator: "\n").map { line in
                    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
                }
            }
            try waitFor("the parking in the log") {
                try objects(tree.ctl("events", "--json").output).contains {
                    $0["message_id"] as? String == EventKind.parked.messageID
                }
            }
            let past = try objects(tree.ctl("events", "--json", "-n", "3").output)
            #expect(past.count == 3 && past.allSatisfy { $0.keys.sorted() == members })
            #expect(past.last?["child"] as? String == "burner" && past.last?["priority"] as? Int == 3)
            let folder = TemporaryDirectory()
            let path = folder.path + "/out"
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
            let follower = Process()
            follower.executableURL = URL(fileURLWithPath: Built.directory + "/nexusctl")
            follower.arguments = [
                "events", "-f", "--json", "-n", "2", "--runtime", tree.runtime, "--state", tree.state,
            ]
            follower.standardOutput = FileHandle(forWritingAtPath: path)
            try follower.run()
            func said() throws -> [[String: Any]] { try objects(String(contentsOfFile: path, encoding: .utf8)) }
            // They are shown when it has subscribed.
            try waitFor("the last two") { try said().count >= 2 }
            _ = try tree.stop()
            follower.waitUntilExit()
            // nexusd has ended under it.
            #expect(follower.terminationStatus == 1)
            let followed = try said()
            let messages = { (events: ArraySlice<[String: Any]>) in events.map { $0["message"] as? String } }
            #expect(messages(followed.prefix(2)) == messages(past.suffix(2)))
            let fresh = followed.dropFirst(2)
            #expect(fresh.contains { $0["message_id"] as? String == EventKind.supervisorStopping.messageID })
            #expect(fresh.allSatisfy { $0.keys.sorted() == members }, "\(followed)")
        }

        @Test func metrics_areOneExposition() throws {
            let tree = try crashed()
            let text = try tree.ctl("metrics")
            #expect(text.status == 0 && text.output.hasSuffix("\n# EOF\n"))
            #expect(text.output.contains("nexus_child_run_ends_total{child=\"burner\",cause=\"crash\"} 2\n"))
            #expect(text.output.contains("nexus_child_state{child=\"burner\",nexus_child_state=\"parked\"} 1\n"))
            let json = try tree.ctl("metrics", "--json")
            #expect(json.status == 0 && json.object["children"] is [Any])
        }

        @Test func why_namesTheSettingThatGoverns_andTheRemedy() throws {
            let tree = try crashed()
            let answer = try tree.ctl("why", "burner")
            #expect(answer.status == 0)
            #expect(answer.output.contains("child.burner.delay.park-after = 2"), "\(answer.output)")
            #expect(answer.output.contains("nexusctl start burner"))
            #expect(answer.output.contains("last words"))
        }

        @Test func logsOfASilentChild_saySo_andEndWell() throws {
            let tree = try crashed()
            for (words, silence) in [
                (["burner", "--grep", "no such words"], "no line of burner is like that"),
                (["burner", "--since", "2020-01-01", "--until", "2020-01-02"], "no line of burner is like that"),
                (["log-writer"], "log-writer: not a word yet"),
            ] {
                let answer = try tree.ctl(["logs"] + words)
                #expect(answer.status == 0 && answer.output.isEmpty, "\(words)")
                #expect(answer.errors == "nexusctl: \(silence)\n", "\(words)")
            }
            let none = try tree.ctl("logs", "burner", "-n", "0")
            #expect(none.status == 0 && none.errors.isEmpty && none.output.isEmpty, "nothing was asked for")
        }

        @Test func wait_seesNexusdAppear_inADirectoryThatIsNotThereYet() throws {
            let folder = TemporaryDirectory()
            let runtime = folder.path + "/deep/run"
            let early = try ctl(
                ["wait", "--ready", "--timeout", "50ms"], environment: ["NEXUS_RUNTIME_DIRECTORY=\(runtime)"])
            #expect(early.status == 3, "nobody came within the time")
            let waiting = BackgroundCtl(["wait", "--ready", "--timeout", "20s"], runtime: runtime)
            try LiveKernel().makeDirectory(folder.path + "/deep", mode: 0o700)
            let tree = try RunningTree(Plan(children: [script("web", "exec sleep 1000")]), runtime: runtime)
            #expect(try waiting.end() == 0)
            _ = try tree.stop()
        }
    }
}

/// A command of nexusctl that runs beside the test.
final class BackgroundCtl {
    private let box = Box()

    private final class Box: @unchecked Sendable {
        let done = DispatchSemaphore(value: 0)
        var status: Int32 = -1
    }

    init(_ arguments: [String], runtime: String) {
        let box = box
        let thread = Thread {
            box.status = (try? ctl(arguments, environment: ["NEXUS_RUNTIME_DIRECTORY=\(runtime)"]).status) ?? -1
            box.done.signal()
        }
        thread.start()
    }

    func end() throws -> Int32 {
        guard box.done.wait(timeout: .now() + 30) == .success else { throw NotInTime(what: "nexusctl") }
        return box.status
    }
}
