import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// What every command of nexusctl promises: its exit status, and one JSON document (or one a line) with `--json`.
private struct Promise {
    /// Words that work on the tree below.
    var words: [String]
    /// The exit status of these.
    var status: Int32 = 0
    /// Arguments beyond reason, which end with 2.
    var wrong: [String] = ["--no-such-option"]
    /// One JSON object a line.
    var isLines = false
    /// Needs nexusd; 3 without one.
    var needsNexusd = true
    /// Needs programs that this test does not build, so that only its usage is tried.
    var isBesideUs = false
}

private let promises: [String: Promise] = [
    "status": Promise(words: [], wrong: ["wbe"]), "tree": Promise(words: []),
    "start": Promise(words: ["web"], wrong: ["wbe"]),
    "stop": Promise(words: ["off"], wrong: []), "restart": Promise(words: ["web"], wrong: ["wbe"]),
    "recycle": Promise(words: ["worn"], wrong: ["wron"]),
    "signal": Promise(words: ["web", "CONT"], wrong: ["wbe", "CONT"]),
    "reset": Promise(words: ["web"], wrong: ["wbe"]),
    "logs": Promise(words: ["web"], wrong: ["wbe"], isLines: true, needsNexusd: false),
    "wait": Promise(words: ["web"], wrong: ["--ready", "wbe"]),
    "is-ready": Promise(words: ["web", "bad"], status: 1, wrong: ["wbe"]),
    "why": Promise(words: ["bad"], wrong: ["wbe"]),
    "history": Promise(words: ["bad"], wrong: ["wbe"]),
    "events": Promise(words: ["-n", "5"], wrong: ["-n", "-1"], isLines: true, needsNexusd: false),
    "metrics": Promise(words: []), "version": Promise(words: [], needsNexusd: false),
    "completions": Promise(words: ["bash"], wrong: ["tcsh"], needsNexusd: false),
    "doctor": Promise(words: [], status: 1, needsNexusd: false),
    "check": Promise(words: [], isBesideUs: true), "report": Promise(words: [], isBesideUs: true),
    "chat": Promise(words: [], isBesideUs: true),
]

/// Commands of others, tried by their own tests.
private let elsewhere: Set<String> = [
    "reload", "diff", "explain", "schema", "tunnel", "pair", "devices", "password", "help",
]

extension WholeTrees {
    @Suite(.serialized, .timeLimit(.minutes(3))) struct EveryCommandTests {
        private func commands() throws -> [[String: Any]] {
            let help = try ctl(["--experimental-dump-help"])
            let command = try #require(help.object["command"] as? [String: Any])
            return try #require(command["subcommands"] as? [[String: Any]])
        }

        private func tree() throws -> RunningTree {
            let tree = try RunningTree(
                Plan(children: [
                    logWriter, script("web", "echo hello; exec sleep 1000"),
                    script("off", "exec sleep 1000") { $0.policy.enabled = false },
                    script("worn", "exec sleep 1000") { $0.policy.delay.stableAfter = .zero },
                    child("bad") { $0.executable = "/nonexistent" },
                ]))
            let peer = try ControlPeer(tree.socket)
            _ = try peer.object("wait-ready web log-writer")
            try waitFor("a line of web") {
                FileManager.default.fileExists(atPath: tree.state + "/logs/web/current")
            }
            return tree
        }

        @Test func everyCommand_hasJSONAndItsExitStatus() throws {
            let tree = try tree()
            for command in try commands() {
                let name = try #require(command["commandName"] as? String)
                if elsewhere.contains(name) { continue }
                guard let promise = promises[name] else {
                    Issue.record("\(name) is not among the promises of this test")
                    continue
                }
                let options = (command["arguments"] as? [[String: Any]] ?? []).compactMap { $0["valueName"] as? String }
                #expect(options.contains("json"), "\(name) has no --json")
                let wrong = try tree.ctl([name] + (promise.wrong.isEmpty ? ["--no-such-option"] : promise.wrong))
                #expect(wrong.status == 2, "\(name) \(promise.wrong): \(wrong.errors)")
                #expect(!wrong.errors.isEmpty && wrong.output.isEmpty, "\(name): an error goes to stderr alone")
                if promise.isBesideUs { continue }
                let right = try tree.ctl([name] + promise.words + ["--json"])
                #expect(right.status == promise.status, "\(name): \(right.errors)")
                try expectJSON(right.output, lines: promise.isLines, name)
            }
        }

        @Test func withoutNexusd_commandsEndWithThree_andSayWhatToDo() throws {
            let folder = TemporaryDirectory()
            let environment = [
                "NEXUS_RUNTIME_DIRECTORY=\(folder.path)/run", "NEXUS_STATE_DIRECTORY=\(folder.path)/state",
            ]
            for (name, promise) in promises where promise.needsNexusd && !promise.isBesideUs {
                let timeout = name == "wait" ? ["--timeout", "1ms"] : []
                let answer = try ctl([name] + promise.words + timeout, environment: environment)
                #expect(answer.status == 3, "\(name): \(answer.errors)")
                #expect(answer.errors.contains("no supervisor is running") && answer.errors.contains("--runtime"))
            }
        }

        @Test func mistypedNames_areAnsweredWithTheNearest_everywhere() throws {
            let tree = try tree()
            for words in [
                ["status", "wbe"], ["status", "--watch", "wbe"], ["why", "wbe"], ["start", "wbe"], ["is-ready", "wbe"],
                ["wait", "--ready", "wbe"], ["history", "wbe"],
            ] {
                let answer = try tree.ctl(words)
                #expect(
                    answer.status == 2 && answer.errors.contains("did you mean 'web'?"), "\(words): \(answer.errors)")
            }
        }

        @Test func oneWrongName_andNothingIsDoneToTheOthers() throws {
            let tree = try tree()
            let before = try tree.ctl(["status", "web", "--json"]).object
            for verb in ["restart", "stop"] {
                let answer = try tree.ctl([verb, "web", "wbe"])
                #expect(answer.status == 2 && answer.output.isEmpty && answer.errors.contains("'wbe'"))
            }
            let after = try tree.ctl(["status", "web", "--json"]).object
            #expect(after["run"] as? String == before["run"] as? String && before["run"] is String)
            #expect(try ctl(["help", "stauts"]).status == 2)
            #expect(try ctl(["--version"]).output == "nexusctl \(NexusVersion.current)\n")
        }

        @Test func runtimeDirectoryAlone_isEnough_becauseNexusdKnowsItsOther() throws {
            let tree = try tree()
            let runtime = (tree.socket as NSString).deletingLastPathComponent
            let answer = try ctl(["logs", "web", "--runtime", runtime])
            #expect(answer.status == 0 && answer.output.contains("hello"), "\(answer.errors)")
        }

        @Test func mistypedCommand_isAnsweredWithTheNearest() throws {
            let answer = try ctl(["stauts"])
            #expect(answer.status == 2)
            #expect(answer.errors == "nexusctl: there is no command 'stauts'; did you mean 'status'?\n")
            #expect(try ctl(["--help"]).status == 0 && ctl(["help", "status"]).status == 0)
        }

        @Test func color_isForcedOrForbidden_andNothingElse() throws {
            let tree = try tree()
            #expect(try tree.ctl(["status", "--color", "always"]).output.contains("\u{1B}[32mready"))
            #expect(try tree.ctl(["--color=always", "tree"]).output.contains("\u{1B}["))
            #expect(try !tree.ctl(["status"]).output.contains("\u{1B}"), "a pipe is no terminal")
            #expect(try !tree.ctl(["status", "--color=never"]).output.contains("\u{1B}"))
            let wrong = try tree.ctl(["status", "--color", "sometimes"])
            #expect(wrong.status == 2 && wrong.errors.contains("auto, always or never, found 'sometimes'"))
        }

        @Test func timeout_isFive() throws {
            let tree = try RunningTree(
                Plan(children: [child("mute", "never-ready", readiness: .notify)]))
            let answer = try tree.ctl(["wait", "--ready", "--timeout", "20ms", "--json"])
            #expect(answer.status == 5 && answer.errors.contains("mute is starting"))
            #expect(answer.object["ready"] as? Bool == false)
        }

        private func expectJSON(_ text: String, lines: Bool, _ name: String) throws {
            let documents = lines ? text.split(separator: "\n").map(String.init) : [text]
            #expect(!documents.isEmpty, "\(name) said nothing")
            for document in documents {
                let parsed = try? JSONSerialization.jsonObject(with: Data(document.utf8))
                #expect(parsed is [String: Any], "\(name) --json: \(document.prefix(200))")
            }
        }
    }
}
