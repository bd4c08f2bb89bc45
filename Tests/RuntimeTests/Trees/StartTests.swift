import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct StartTests {
        /// A caller that ignores SIGCHLD leaves that to nexusd: nobody could be waited for.
        @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"))
        func startedWithSIGCHLDIgnored_childrenAreReapedAllTheSame() throws {
            let ignoring =
                "import os,signal,sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
            let tree = try RunningTree(
                Plan(children: [child("c", "serve")]), through: ["/usr/bin/python3", "-c", ignoring])
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            #expect(try client.ask("restart c") == .reply(#"{"outcome":"done"}"#))
            #expect(try tree.stop() == .code(0))
        }

        @Test func versionAndUsage_needNothing() throws {
            #expect(try RunningTree.runToEnd(["--version"]).0 == .code(0))
            let (exit, words) = try RunningTree.runToEnd(["--frobnicate"])
            #expect(exit == .code(2))
            #expect(words.contains("unknown argument '--frobnicate'"))
            #expect(words.contains("usage:"))
        }

        @Test func secondInstance_isRefusedWith3_andSaysWhoHoldsTheLock() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve")]))
            let (exit, words) = try RunningTree.runToEnd([
                "--plan", tree.directory.path + "/plan", "--state", tree.state, "--runtime", tree.runtime,
            ])
            #expect(exit == .code(3))
            #expect(words.contains("pid \(tree.processID)"))
            #expect(try tree.client().ask("wait-ready") == .reply(#"{"ready":true}"#))
        }

        @Test func refusedInstance_leavesNothingBehind_andTakesNothingFromTheOther() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve")]))
            let kernel = LiveKernel()
            func paths(_ directory: String) throws -> [String] {
                try kernel.list(directory).sorted().flatMap { name in
                    [directory + "/" + name] + ((try? paths(directory + "/" + name)) ?? [])
                }
            }
            _ = try tree.client().ask("wait-ready")
            // The fixture's own file is there too.
            while tree.registered("main").isEmpty { usleep(1000) }
            let before = try paths(tree.directory.path)
            // The other one's runtime directory, then only its state directory.
            for runtime in [tree.runtime, tree.directory.path + "/deep/er"] {
                let (exit, _) = try RunningTree.runToEnd([
                    "--plan", tree.directory.path + "/plan", "--state", tree.state, "--runtime", runtime,
                ])
                #expect(exit == .code(3))
                #expect(try paths(tree.directory.path) == before)
            }
            #expect(try tree.client().ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try tree.stop() == .code(0))
        }

        @Test(arguments: [true, false]) func refusedPlan_leavesOnlyWhatWasThereBefore(isEmpty: Bool) throws {
            let directory = TemporaryDirectory()
            let kernel = LiveKernel()
            let (state, runtime) = (directory.path + "/a/state", directory.path + "/b/run")
            if !isEmpty {
                for path in ["/a", "/a/state", "/b", "/b/run", "/b/run/notify"] {
                    try kernel.makeDirectory(directory.path + path, mode: 0o755)
                }
                try kernel.replaceFile(state + "/last-second", with: Array("17\n".utf8), mode: 0o600)
            }
            try kernel.replaceFile(directory.path + "/plan", with: [1, 2, 3], mode: 0o600)
            let (exit, _) = try RunningTree.runToEnd([
                "--plan", directory.path + "/plan", "--state", state, "--runtime", runtime,
            ])
            #expect(exit == .code(2))
            #expect(try kernel.list(directory.path).sorted() == (isEmpty ? ["plan"] : ["a", "b", "plan"]))
            guard !isEmpty else { return }
            #expect(try kernel.list(state) == ["last-second"])
            #expect(try kernel.list(runtime) == ["notify"])
        }

        @Test(arguments: ["", "no plan at all", "NXSPLAN\n"])
        func damagedPlan_isRefusedWith2_andNothingStarts(content: String) throws {
            let directory = TemporaryDirectory()
            try LiveKernel().replaceFile(directory.path + "/plan", with: Array(content.utf8), mode: 0o600)
            let (exit, words) = try RunningTree.runToEnd([
                "--plan", directory.path + "/plan", "--state", directory.path, "--runtime", directory.path + "/run",
            ])
            #expect(exit == .code(2))
            #expect(words.contains(directory.path + "/plan"))
        }

        @Test func planThatIsNoFileOfOne_isRefused_withARemedy() throws {
            let directory = TemporaryDirectory()
            let kernel = LiveKernel()
            try kernel.replaceFile(
                directory.path + "/long", with: [UInt8](repeating: 0, count: Plan.encodedLimit + 1), mode: 0o600)
            try kernel.makeDirectory(directory.path + "/folder", mode: 0o700)
            for (name, words) in [
                ("gone", "(ENOENT)"), ("folder", "(EISDIR)"), ("long", "it has more than \(Plan.encodedLimit) bytes"),
            ] {
                let (exit, said) = try RunningTree.runToEnd([
                    "--plan", directory.path + "/" + name, "--state", directory.path, "--runtime",
                    directory.path + "/run",
                ])
                #expect(exit == .code(2) && said.contains("nexusd: \(directory.path)/\(name): "), "\(said)")
                #expect(said.contains(words) && said.contains("; name a plan of nexus-config"), "\(said)")
            }
        }

        @Test func lockThatIsAFIFO_isNamed_withARemedy() throws {
            let directory = TemporaryDirectory()
            try LiveKernel().makeDirectory(directory.path + "/run", mode: 0o700)
            #expect(mkfifo(directory.path + "/run/nexusd.lock", 0o600) == 0)
            let (exit, said) = try RunningTree.runToEnd([
                "--plan", "/dev/null", "--state", directory.path, "--runtime", directory.path + "/run",
            ])
            #expect(
                exit == .code(1)
                    && said.contains("the lock \(directory.path)/run/nexusd.lock of the runtime directory"), "\(said)")
            #expect(
                said.contains("(EINVAL); it is no regular file: move it away, or choose another one with --runtime"),
                "\(said)")
        }

        @Test(arguments: ["control.sock", "control.sock.new"])
        func directoryInPlaceOfTheControlSocket_isNamed_withARemedy(name: String) throws {
            let directory = TemporaryDirectory()
            let kernel = LiveKernel()
            let (run, plan) = (directory.path + "/run", directory.path + "/plan")
            try kernel.makeDirectory(run, mode: 0o700)
            try kernel.makeDirectory(run + "/" + name, mode: 0o700)
            try kernel.replaceFile(plan, with: Plan(children: [child("one", "serve")]).encoded(), mode: 0o600)
            let (exit, said) = try RunningTree.runToEnd(["--plan", plan, "--state", directory.path, "--runtime", run])
            let words =
                "nexusd: \(run)/\(name): a directory is in the place of the control socket: move it away, or choose another"
                + " runtime directory with --runtime"
            #expect(exit == .code(2) && said.contains(words), "\(said)")
        }

        @Test(arguments: ["life", "life.new"])
        func directoryInPlaceOfTheLifeFile_isNamed_withARemedy(name: String) throws {
            let directory = TemporaryDirectory()
            let kernel = LiveKernel()
            let run = directory.path + "/run"
            try kernel.makeDirectory(run, mode: 0o700)
            try kernel.makeDirectory(run + "/" + name, mode: 0o700)
            let tree = try RunningTree(Plan(children: [child("one", "serve")]), runtime: run)
            let words =
                "\(run)/\(name): Is a directory (EISDIR); a directory is in its place: move it away, then restart nexusd; should it be"
                + " killed before, the next one cannot tell what it left behind"
            try waitFor("the words") { try tree.said().contains(words) }
            #expect(try tree.ctl("status").output.contains("\(run)/\(name)"))
            #expect(try tree.stop() == .code(0))
        }

        @Test func runtimeDirectoryThatOthersMayWriteTo_isRefused() throws {
            let directory = TemporaryDirectory()
            let kernel = LiveKernel()
            try kernel.makeDirectory(directory.path + "/run", mode: 0o777)
            try kernel.changeMode(directory.path + "/run", to: 0o777)
            let (exit, words) = try RunningTree.runToEnd([
                "--plan", "/nonexistent", "--state", directory.path, "--runtime", directory.path + "/run",
            ])
            #expect(exit == .code(2))
            #expect(words.contains("writable by nobody else"))
        }

        @Test func ownNotify_saysReadyStatusAndStopping() throws {
            let manager = try Manager()
            let tree = try RunningTree(
                Plan(children: [child("one", "serve")]), environment: [manager.address, "WATCHDOG_USEC=200000"])
            try manager.hear(until: "READY=1")
            try manager.hear(until: "STATUS=1 of 1 children ready")
            try manager.hear(until: "WATCHDOG=1")
            try tree.signal(.terminate)
            try manager.hear(until: "STOPPING=1")
            #expect(!manager.said.contains("EXTEND_TIMEOUT_USEC="), "nothing of the plan was left to wait for")
            #expect(try tree.end() == .code(0))
        }

        /// The manager's own limit must not cut short what the plan allows.
        @Test func stopThatNeedsTime_asksTheManagerForAsMuch() throws {
            let manager = try Manager()
            let deaf = child("deaf", "ignore-term") { $0.policy.stop = StopRule(timeout: .milliseconds(700)) }
            let tree = try RunningTree(Plan(children: [deaf]), environment: [manager.address])
            try waitFor("a child that is deaf") { !tree.registered("main").isEmpty }
            try tree.signal(.terminate)
            try manager.hear(until: "STOPPING=1")
            try manager.hear(until: "EXTEND_TIMEOUT_USEC=")
            let word = try #require(manager.said.split(separator: "\n").first { $0.hasPrefix("EXTEND_TIMEOUT_USEC=") })
            let asked = try #require(Int(word.drop { $0 != "=" }.dropFirst()))
            #expect(asked > 5_000_000 && asked <= 5_700_000, "what is left of the stop timeout, and 5 s: \(asked)")
            #expect(try tree.end() == .code(0))
        }

        /// Who supervises nexusd, and hears what it says on $NOTIFY_SOCKET.
        private final class Manager {
            private let directory = TemporaryDirectory()
            private let kernel = LiveKernel()
            private let socket: OwnedFD
            private(set) var said = ""
            var address: String { "NOTIFY_SOCKET=\(directory.path)/notify" }

            init() throws {
                socket = try kernel.makeSocket(.unix, .datagram)
                try kernel.bind(socket, to: .path(directory.path + "/notify"))
            }

            func hear(until word: String) throws {
                var buffer = [UInt8](repeating: 0, count: 4096)
                while !said.contains(word) {
                    try #require(try waitUntil(socket), "\(word) was not said: \(said)")
                    let count = try buffer.withUnsafeMutableBytes { try kernel.read(socket, into: $0) }
                    said += String(decoding: buffer[..<count], as: UTF8.self) + "\n"
                }
            }
        }

        @Test func closedStandardDescriptors_areNoTrap() throws {
            // Nothing is opened in their place by accident: a child's pipe must never become nexusd's stderr.
            let directory = TemporaryDirectory()
            let plan = Plan(children: [child("one", "serve")])
            try LiveKernel().replaceFile(directory.path + "/plan", with: plan.encoded(), mode: 0o600)
            let shell = """
                exec <&- >&- 2>&-; exec \(Built.nexusd) --plan \(directory.path)/plan --state \(directory.path) \
                --runtime \(directory.path)/run
                """
            var image = SpawnImage(executable: "/bin/sh", arguments: ["sh", "-c", shell], environment: ["HOME=/"])
            image.noNewPrivileges = false
            let process = try LiveKernel().spawn(image)
            let socket = directory.path + "/run/control.sock"
            while (try? LiveKernel().status(socket, followingLinks: false)) == nil { usleep(2000) }
            #expect(try ControlPeer(socket).ask("wait-ready") == .reply(#"{"ready":true}"#))
            try LiveKernel().signal(process.pidfd, .terminate)
            #expect(try waitForExit(process) == .code(0))
        }
    }
}
