import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// nexusd was killed with SIGKILL; the next one finds what was left and ends it first.
    @Suite(.timeLimit(.minutes(1))) struct KilledSupervisorTests {
        private let kernel = LiveKernel()

        /// The verbs whose processes are told from strangers without a cgroup.
        private let children = [
            child("plain", "serve"), child("deaf", "ignore-term"), child("session", "setsid-child"),
            child("daemon", "double-fork"),
        ]

        private func killed(_ tree: RunningTree, waitingFor roles: [(String, Int)]) throws -> [Int32] {
            for (role, count) in roles { while tree.registered(role).count < count { usleep(1000) } }
            let pids = roles.flatMap { tree.registered($0.0) }
            try tree.signal(.kill)
            _ = try tree.end()
            for pid in pids { #expect(tree.isAlive(pid)) }
            return pids
        }

        /// A child that writes down which of these processes it met alive.
        private func witness(of pids: [Int32], into file: String) -> ChildPlan {
            let list = pids.map(String.init).joined(separator: " ")
            return script(
                "witness",
                "for p in \(list); do [ -r /proc/$p/stat ] && ! grep -q ') Z ' /proc/$p/stat && echo $p; done > \(file).new; "
                    + "mv \(file).new \(file); exec sleep 600")
        }

        private func content(of file: String, _ tree: RunningTree) -> String {
            while (try? kernel.status(file, followingLinks: false)) == nil { usleep(1000) }
            return tree.file(file)
        }

        @Test func everythingOfTheOldLife_isGoneBeforeTheFirstChildStarts_strangersStay() throws {
            let first = try RunningTree(Plan(children: children))
            let stranger = try RunningTree(Plan(children: [child("other", "serve")]))
            while stranger.registered("main").isEmpty { usleep(1000) }
            let pids = try killed(first, waitingFor: [("main", 4), ("session", 1), ("daemon", 1)])
            let result = first.directory.path + "/met"
            let second = try RunningTree(
                Plan(children: [logWriter, witness(of: pids, into: result)]), runtime: first.runtime)
            #expect(content(of: result, second) == "")
            let client = try second.client()
            #expect(try client.state("witness") == "ready")
            #expect(stranger.isAlive(stranger.registered("main")[0]))
            #expect(try second.stop() == .code(0))
            // Said in a record, with the processes.
            let log = second.file(second.state + "/logs/nexusd/current")
            #expect(log.contains("An earlier nexusd was killed and had left \(pids.count) processes behind"))
            #expect(try stranger.stop() == .code(0))
        }

        @Test func refusedStart_touchesNothingOfThat_andTheNextOneEndsIt() throws {
            let first = try RunningTree(Plan(children: [child("plain", "serve")]))
            let pids = try killed(first, waitingFor: [("main", 1)])
            let life = first.file(first.runtime + "/life")
            let broken = first.directory.path + "/broken"
            try kernel.replaceFile(broken, with: Array("no plan".utf8), mode: 0o600)
            for _ in 0..<2 {
                let (exit, _) = try RunningTree.runToEnd([
                    "--plan", broken, "--state", first.state, "--runtime", first.runtime,
                ])
                #expect(exit == .code(2))
                #expect(first.isAlive(pids[0]))
                #expect(first.file(first.runtime + "/life") == life)
            }
            let result = first.directory.path + "/met"
            let second = try RunningTree(
                Plan(children: [logWriter, witness(of: pids, into: result)]), runtime: first.runtime)
            #expect(content(of: result, second) == "")
            #expect(try second.stop() == .code(0))
            let log = second.file(second.state + "/logs/nexusd/current")
            #expect(log.contains("An earlier nexusd was killed and had left a process behind"))
        }

        @Test func aCleanEnd_leavesNoLifeToLookFor() throws {
            let tree = try RunningTree(Plan(children: [child("plain", "serve")]))
            #expect(tree.file(tree.runtime + "/life").utf8.count == 33)
            #expect(tree.file(tree.runtime + "/stage") == "\(tree.processID)\nserving\n")
            #expect(try kernel.status(tree.runtime + "/stage", followingLinks: false).mode & 0o777 == 0o644)
            #expect(try tree.stop() == .code(0))
            for name in ["life", "stage"] {
                #expect((try? kernel.status("\(tree.runtime)/\(name)", followingLinks: false)) == nil)
            }
        }

        @Test(.enabled(if: TestCgroup.isPossible, "needs root and a cgroup v2 mount"))
        func withACgroup_evenADaemonWithNothingToTellItBy_isEnded() throws {
            let cgroup = try TestCgroup()
            let environment = ["NEXUS_CGROUP=\(cgroup.path)"]
            let first = try RunningTree(
                Plan(children: [child("bad", "double-fork", "clean")]), environment: environment)
            let pids = try killed(first, waitingFor: [("main", 1), ("daemon", 1)])
            let result = first.directory.path + "/met"
            let second = try RunningTree(
                Plan(children: [witness(of: pids, into: result)]), runtime: first.runtime, environment: environment)
            #expect(content(of: result, second) == "")
            #expect(try second.stop() == .code(0))
            for name in try kernel.list(cgroup.path) where !name.contains(".") {
                try kernel.removeDirectory(cgroup.path + "/" + name)
            }
            try kernel.removeDirectory(cgroup.path)
        }

        /// As when a limit of time ends the tests: what a tree of the tests consists of ends with them.
        @Test func aKilledTestBundle_leavesNoProcessBehind() async throws {
            let directory = TemporaryDirectory()
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.path as String] in
                let tree = try RunningTree(Plan(children: [child("plain", "serve"), child("session", "setsid-child")]))
                while tree.registered("main").count < 2 || tree.registered("session").isEmpty { usleep(1000) }
                let pids = tree.registered("main") + tree.registered("session") + [tree.processID]
                let text = pids.map { "\($0)\n" }.joined()
                try LiveKernel().replaceFile(path + "/pids", with: Array(text.utf8), mode: 0o600)
                kill(getpid(), SIGKILL)
            }
            let text = String(decoding: try kernel.readFile(directory.path + "/pids", limit: 4096), as: UTF8.self)
            let pids = text.split(separator: "\n").compactMap { Int32($0) }
            #expect(pids.count == 4)
            try waitFor("the end of \(pids)") { !pids.contains { isAlive(ProcessID(rawValue: $0)) } }
        }
    }
}
