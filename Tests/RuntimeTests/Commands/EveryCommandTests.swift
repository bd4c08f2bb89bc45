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
    /// Needs more than a tree of this test: the test that runs it with `--json`. Here its usage is tried.
    var triedBy: String?
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
    // A file that nexus-config reads.
    "check": Promise(words: [], triedBy: "CommandScenarios"),
    "explain": Promise(words: [], triedBy: "CommandScenarios"),
    "diff": Promise(words: [], triedBy: "CommandScenarios"), "reload": Promise(words: [], triedBy: "CommandScenarios"),
    "upgrade": Promise(words: [], triedBy: "UpgradeScenarios"),
    "report": Promise(words: [], triedBy: "CommandScenarios"),
    // The chat and the tunnel.
    "chat backup": Promise(words: [], triedBy: "CommandScenarios"),
    "chat restore": Promise(words: [], triedBy: "BackupScenarios"),
    "chat export": Promise(words: [], triedBy: "BackupScenarios"),
    "agent install": Promise(words: [], triedBy: "AgentInstallScenarios"),
    "agent login": Promise(words: [], triedBy: "AgentLoginScenarios"),
    "agent workspace add": Promise(words: [], triedBy: "AgentWorkspaceScenarios"),
    "agent workspace list": Promise(words: [], triedBy: "AgentWorkspaceScenarios"),
    "agent workspace remove": Promise(words: [], triedBy: "AgentWorkspaceScenarios"),
    "update": Promise(words: [], triedBy: "UpdateScenarios"),
    "pair": Promise(words: [], triedBy: "CommandScenarios"),
    "password": Promise(words: [], triedBy: "CommandScenarios"),
    "devices list": Promise(words: [], triedBy: "TunnelPairScenarios"),
    "devices revoke": Promise(words: [], triedBy: "TunnelPairScenarios"),
    "tunnel status": Promise(words: [], triedBy: "CommandScenarios"),
    "tunnel start": Promise(words: [], triedBy: "CommandScenarios"),
    "tunnel stop": Promise(words: [], triedBy: "CommandScenarios"),
    "tunnel mode": Promise(words: [], triedBy: "CommandScenarios"),
    "tunnel keep": Promise(words: [], triedBy: "CommandScenarios"),
    "tunnel url": Promise(words: [], triedBy: "CommandScenarios"),
    "tunnel check": Promise(words: [], triedBy: "CommandScenarios"),
]

/// Commands that give no JSON, and why.
private let withoutJSON: [String: String] = [
    "tunnel setup": "a conversation in a terminal; `tunnel status --json` and `explain --json` tell what came of it",
    "help": "the library's own; `--experimental-dump-help` is the same for programs",
]

extension WholeTrees {
    @Suite(.serialized, .timeLimit(.minutes(3))) struct EveryCommandTests {
        /// Every command by its words, with its options; of a command with commands of its own only these.
        private func commands() throws -> [String: [String]] {
            func leaves(_ command: [String: Any], _ words: [String]) -> [(String, [String])] {
                guard let more = command["subcommands"] as? [[String: Any]], !more.isEmpty else {
                    let arguments = command["arguments"] as? [[String: Any]] ?? []
                    return [(words.joined(separator: " "), arguments.compactMap { $0["valueName"] as? String })]
                }
                return more.flatMap { leaves($0, words + [$0["commandName"] as? String ?? "?"]) }
            }
            let help = try ctl(["--experimental-dump-help"])
            return Dictionary(
                uniqueKeysWithValues: leaves(try #require(help.object["command"] as? [String: Any]), []))
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
            let commands = try commands()
            #expect(Set(commands.keys) == Set(promises.keys).union(withoutJSON.keys), "nothing goes untried")
            for (name, options) in commands.sorted(by: { $0.key < $1.key }) {
                #expect(options.contains("json") == (withoutJSON[name] == nil), "\(name) has no --json")
                guard let promise = promises[name] else { continue }
                let words = name.split(separator: " ").map(String.init)
                let wrong = try tree.ctl(words + (promise.wrong.isEmpty ? ["--no-such-option"] : promise.wrong))
                #expect(wrong.status == 2, "\(name) \(promise.wrong): \(wrong.errors)")
                #expect(!wrong.errors.isEmpty && wrong.output.isEmpty, "\(name): an error goes to stderr alone")
                if promise.triedBy != nil { continue }
                let right = try tree.ctl(words + promise.words + ["--json"])
                #expect(right.status == promise.status, "\(name): \(right.errors)")
                try expectJSON(right.output, lines: promise.isLines, name)
            }
        }

        @Test func withoutNexusd_commandsEndWithThree_andSayWhatToDo() throws {
            let folder = TemporaryDirectory()
            let environment = [
                "NEXUS_RUNTIME_DIRECTORY=\(folder.path)/run", "NEXUS_STATE_DIRECTORY=\(folder.path)/state",
            ]
            for (name, promise) in promises where promise.needsNexusd && promise.triedBy == nil {
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

        @Test func logs_takeAPrefixedName() throws {
            let tree = try tree()
            #expect(try tree.ctl(["logs", "child:web"]).output.contains("web: hello"))
            let wrong = try tree.ctl(["logs", "group:web"])
            #expect(wrong.status == 2 && wrong.errors.contains("there is no group 'web'"), "\(wrong.errors)")
        }

        @Test func report_isNotWrittenToStandardOutput() throws {
            let answer = try ctl(["report", "--output", "-"])
            #expect(answer.status == 2 && answer.output.isEmpty)
            #expect(answer.errors.contains("written to a file, not to standard output"), "\(answer.errors)")
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
            #expect(
                try ctl(["daemon-reload"]).errors
                    == "nexusctl: there is no command 'daemon-reload'; here it is 'reload'\n")
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

        @Test func wait_forWhoIsGivenUp_saysEachChildOnce() throws {
            let tree = try RunningTree(
                Plan(children: [
                    script("bad", "exit 3") {
                        $0.policy.delay = DelayRule(first: .milliseconds(1), cap: .milliseconds(1), parkAfter: 1)
                    },
                    child("mute", "never-ready", readiness: .notify),
                ]))
            let both = try tree.ctl(["wait"])
            let lines = both.errors.split(separator: "\n")
            #expect(both.status == 1 && lines.count == 2, "\(both.errors)")
            #expect(lines.first?.hasPrefix("nexusctl: bad is parked (crash: exit 3; ") == true, "\(both.errors)")
            #expect(lines.last?.contains("mute is starting") == true, "\(both.errors)")
            let alone = try tree.ctl(["wait", "bad"])
            #expect(alone.errors.split(separator: "\n").count == 1, "\(alone.errors)")
        }

        @Test func completions_sayForEveryShellWhereTheyGo() throws {
            let help = try ctl(["help", "completions"]).output
            for words in [
                "completions bash > ~/.local/share/bash-completion/completions/nexusctl",
                "completions zsh > ~/.zfunc/_nexusctl", "completions fish > ~/.config/fish/completions/nexusctl.fish",
            ] { #expect(help.contains(words), "\(help)") }
            #expect(
                try ctl(["completions", "zsh"]).output.hasPrefix("#compdef nexusctl\n"), "zsh looks for it by that")
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
