import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// nexusd beside a nexus-config that a test wrote.
    @Suite(.timeLimit(.minutes(1))) struct ConfigRunTests {
        private let directory = TemporaryDirectory()
        private let kernel = LiveKernel()

        private var nexusd: String { directory.path + "/nexusd" }
        private var arguments: [String] {
            ["--config", "/etc/x.toml", "--state", directory.path + "/state", "--runtime", directory.path + "/run"]
        }

        /// Copies nexusd beside a script that plays nexus-config; `$STATE` and `$PLAN` are there for it.
        private func play(_ script: String) throws {
            try kernel.replaceFile(nexusd, with: kernel.readFile(Built.nexusd, limit: 1 << 28), mode: 0o755)
            let plan = Plan(children: [child("one", "serve")])
            try kernel.replaceFile(directory.path + "/plan", with: plan.encoded(), mode: 0o600)
            try? kernel.makeDirectory(directory.path + "/state", mode: 0o700)
            let text = "#!/bin/sh\nPLAN=\(directory.path)/plan STATE=\(directory.path)/state\n\(script)\n"
            try kernel.replaceFile(directory.path + "/nexus-config", with: Array(text.utf8), mode: 0o755)
        }

        private final class Started {
            let process: Spawned
            let errors: OwnedFD

            init(_ process: consuming Spawned, _ errors: consuming OwnedFD) {
                self.process = process
                self.errors = errors
            }
        }

        private func start(_ more: [String] = []) throws -> Started {
            let pipe = try kernel.makePipe(blocking: .write)
            let process = try RunningTree.start(nexusd, arguments + more, [], errors: pipe.write, kernel)
            return Started(process, pipe.read)
        }

        private func runToEnd(_ more: [String] = []) throws -> (Exit?, String) {
            let started = try start(more)
            let said = try readToEnd(started.errors)
            return (try waitForExit(started.process), String(decoding: said, as: UTF8.self))
        }

        /// Waits for the tree, looks at it, and stops it.
        private func whileRunning(_ more: [String] = [], _ look: (ControlPeer) throws -> Void) throws {
            let started = try start(more)
            let socket = directory.path + "/run/control.sock"
            let limit = kernel.monotonic() + .seconds(20)
            while (try? kernel.status(socket, followingLinks: false)) == nil, kernel.monotonic() < limit {
                usleep(2000)
            }
            let client = try ControlPeer(socket)
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            try look(client)
            try kernel.signal(started.process.pidfd, .terminate)
            #expect(try waitForExit(started.process) == .code(0))
        }

        @Test func plan_isRun_andItsWordsAreTheDocumentedOnes() throws {
            try play(#"echo "$@" > "$STATE/words"; cat "$PLAN""#)
            try whileRunning { _ in }
            let words = String(
                decoding: try kernel.readFile(directory.path + "/state/words", limit: 4096), as: UTF8.self)
            let path = directory.path
            #expect(
                words == "plan --config /etc/x.toml --state \(path)/state --runtime \(path)/run --bin \(path)\n")
        }

        @Test func refusedFile_is2_withItsDiagnostics_andNothingStarts() throws {
            try play(#"echo "x.toml:3:1: error: unknown key 'comand'" >&2; exit 2"#)
            let (exit, words) = try runToEnd()
            #expect(exit == .code(2))
            #expect(words.contains("x.toml:3:1: error: unknown key 'comand'"))
            #expect((try? kernel.status(directory.path + "/run/control.sock", followingLinks: false)) == nil)
        }

        @Test func refusedFile_withLastGood_startsThatPlan_andSaysSoFirst() throws {
            try play(#"echo "x.toml:3:1: error: unknown key 'comand'" >&2; exit 2"#)
            #expect(try runToEnd(["--last-good"]).0 == .code(2))
            let kept = Plan(children: [child("kept", "serve")], notes: ["a note of its own"])
            try kernel.replaceFile(directory.path + "/state/last-good", with: kept.encoded(), mode: 0o600)
            // A plan that somebody else could have written says what root runs.
            try kernel.changeMode(directory.path + "/state/last-good", to: 0o666)
            let (exit, words) = try runToEnd(["--last-good"])
            #expect(exit == .code(2) && words.contains("last-good: may be written by everybody (mode 0666)"))
            try kernel.changeMode(directory.path + "/state/last-good", to: 0o600)
            try whileRunning(["--last-good"]) { client in
                let status = try client.object("status")
                let notes = try #require(status["notes"] as? [String])
                #expect(notes[0].contains("last good plan"))
                #expect(notes[0].contains("x.toml:3:1"))
                #expect((status["children"] as? [[String: Any]])?.first?["name"] as? String == "kept")
            }
        }

        /// As of a tree that root had tried before the package was installed.
        @Test func refusedFile_withLastGoodOfAnotherInstallation_startsNothing() throws {
            try play(#"echo "x.toml:3:1: error: unknown key 'comand'" >&2; exit 2"#)
            let logWriter = child("log-writer", "serve") {
                $0.role = .logWriter
                $0.executable = "/elsewhere/log-writer"
            }
            let kept = Plan(children: [logWriter, child("kept", "serve")])
            try kernel.replaceFile(directory.path + "/state/last-good", with: kept.encoded(), mode: 0o600)
            let (exit, words) = try runToEnd(["--last-good"])
            #expect(exit == .code(2))
            #expect(words.contains("x.toml:3:1: error: unknown key 'comand'"), "\(words)")
            #expect(
                words.contains(
                    "last-good: it is of the installation in '/elsewhere', and this is the one in '\(directory.path)'"),
                "\(words)")
        }

        @Test(arguments: [
            ("exit 7", "exit 7"), ("kill -9 $$", "signal 9"), ("echo nonsense", "not a plan"),
            ("head -c 5000000 /dev/zero", "above 4194304 bytes"),
        ])
        func brokenNexusConfig_is1_inWords(script: String, words: String) throws {
            try play(script)
            let (exit, said) = try runToEnd()
            #expect(exit == .code(1))
            #expect(said.contains(words), "\(said)")
        }

        @Test func floodOfDiagnostics_isCut() throws {
            try play("yes 'x.toml:1:1: error: again and again' | head -n 100000 >&2; exit 2")
            let (exit, said) = try runToEnd()
            #expect(exit == .code(2))
            #expect(said.utf8.count < 2 * ConfigRun.diagnosticsLimit)
            #expect(said.contains("were left out"))
        }

        @Test func requestToStop_whileItRuns_endsWellAndLeavesNothing() throws {
            try play(#"echo $$ > "$STATE/pid"; exec sleep 600"#)
            let started = try start()
            let file = directory.path + "/state/pid"
            while ((try? kernel.readFile(file, limit: 32)) ?? []).last != UInt8(ascii: "\n") { usleep(2000) }
            let pid = String(decoding: try kernel.readFile(file, limit: 32).dropLast(), as: UTF8.self)
            try kernel.signal(started.process.pidfd, .terminate)
            #expect(try waitForExit(started.process) == .code(0))
            #expect((try? kernel.status("/proc/\(pid)", followingLinks: false)) == nil)
        }

        @Test func oneThatDoesNotEnd_isKilledAfterTenSeconds() throws {
            try play("exec sleep 600")
            let (exit, said) = try runToEnd()
            #expect(exit == .code(1))
            #expect(said.contains("was not done within 10 s"))
        }
    }
}
