import CNexus
import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct TerminalTests {
        /// A nexusd whose stderr is a terminal; what it says there until `fits`.
        private func words(_ plan: Plan, until fits: (String) -> Bool) throws -> String {
            let kernel = LiveKernel()
            let directory = TemporaryDirectory()
            try kernel.replaceFile(directory.path + "/plan", with: plan.encoded(), mode: 0o600)
            let master = OwnedFD(owning: posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK))
            try #require(grantpt(master.raw) == 0 && unlockpt(master.raw) == 0)
            let name = try #require(ptsname(master.raw).map { String(cString: $0) })
            let slave = OwnedFD(owning: open(name, O_RDWR | O_NOCTTY | O_CLOEXEC))
            let process = try RunningTree.start(
                Built.nexusd,
                ["--plan", directory.path + "/plan", "--state", directory.path, "--runtime", directory.path + "/run"],
                [], errors: slave, kernel)
            var said = ""
            while !fits(said) {
                guard try waitUntil(master) else { throw NotInTime(what: "a line at the terminal: \(said)") }
                said += RunningTree.drain(master, kernel)
            }
            try kernel.signal(process.pidfd, .terminate)
            #expect(try waitForExit(process) == .code(0))
            return said + RunningTree.drain(master, kernel)
        }

        @Test func readyTree_saysSoAtATerminal_once() throws {
            let said = try words(
                Plan(children: [child("one", "serve"), child("off", "serve") { $0.policy.enabled = false }])
            ) {
                $0.contains("in order.\r\n")
            }
            let lines = said.split(separator: "\r\n").filter { $0.hasPrefix("nexusd: Up") }
            #expect(lines.count == 1, "\(said)")
            #expect(lines.first?.hasPrefix("nexusd: Up: 1 of 1 children ready. Look: `nexusctl --runtime /") == true)
            #expect(lines.first?.hasSuffix("/run status`. Ctrl-C stops everything in order.") == true)
        }

        @Test func beginningParkingAndEnd_areOnStandardError_alsoWhileLogWriterServes() throws {
            let tree = try RunningTree(
                Plan(children: [
                    logWriter, script("late", "exit 78") { $0.policy.enabled = false },
                    script("web", "exec sleep 1000"),
                ]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready web log-writer") == .reply(#"{"ready":true}"#))
            _ = try client.ask("start late")
            while try client.state("late") != "parked" { usleep(2000) }
            #expect(try client.ask("restart web") == .reply(#"{"outcome":"done"}"#))
            #expect(try tree.stop() == .code(0))
            let lines = try tree.said().split(separator: "\n").filter { $0.hasPrefix("nexusd: ") }
            for words in [
                "nexusd \(NexusVersion.current) (pid \(tree.processID)) begins with 3 children",
                "late is given up for now (config)",
                "the tree is stopped in order", "The tree is stopped, and nothing of it is left",
            ] {
                #expect(lines.count { $0.contains(words) } == 1, "\(words): \(lines)")
            }
            #expect(!lines.contains { $0.contains("web ended") && $0.contains("asked") }, "the log has that: \(lines)")
        }

        /// A session leader without a terminal has the first one that it opens; closing the other side hangs it up.
        @Test(arguments: [false, true])
        func terminalThatHangsUp_stopsTheTree_unlessHangUpsAreIgnored(ignored: Bool) throws {
            let kernel = LiveKernel()
            let directory = TemporaryDirectory()
            let (runtime, plan) = (directory.path + "/run", directory.path + "/plan")
            try kernel.replaceFile(plan, with: Plan(children: [child("one", "serve")]).encoded(), mode: 0o600)
            var master: Int32? = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
            defer { master.map { _ = close($0) } }
            let side = try #require(master)
            let errors = try kernel.makePipe(blocking: .write)
            try #require(grantpt(side) == 0 && unlockpt(side) == 0)
            let name = try #require(ptsname(side).map { String(cString: $0) })
            let shell = (ignored ? "trap '' HUP; " : "") + #"exec "$@" 0<>"# + name
            let process = try RunningTree.start(
                Built.nexusd, ["--plan", plan, "--state", directory.path, "--runtime", runtime],
                through: ["/bin/sh", "-c", shell, "sh"], [], errors: errors.write, kernel)
            try waitFor("its socket") { (try? kernel.status(runtime + "/control.sock", followingLinks: false)) != nil }
            let client = try ControlPeer(runtime + "/control.sock")
            let events = try client.request("events")
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            master = nil
            close(side)
            if ignored {
                // As without a terminal it asks for a reload, which a plan that was given by hand cannot have.
                _ = try client.event(events) { ($0["message"] as? String ?? "").hasPrefix("Not reloaded") }
                #expect(try client.state("one") == "ready")
                try kernel.signal(process.pidfd, .terminate)
            }
            #expect(try waitForExit(process) == .code(0))
            let said = RunningTree.drain(errors.read, kernel)
            #expect(said.contains("signal 1 (HUP)") != ignored, "\(said)")
        }

        @Test func withoutATerminal_nothingIsSaid() throws {
            let tree = try RunningTree(Plan(children: [child("one", "serve")]))
            #expect(try tree.client().ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try tree.stop() == .code(0))
            #expect(try !tree.said().contains("Up:"))
        }
    }
}
