import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// Sockets that nexusd opens and keeps for its children.
    @Suite(.timeLimit(.minutes(1))) struct SocketTreeTests {
        private let kernel = LiveKernel()

        private static let loopback6: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

        private func freePort() throws -> UInt16 { try SocketCaller.freePort() }
        private func ask(_ address: SocketAddress) throws -> String? { try SocketCaller(address).answer() }

        @Test func fiftyRestarts_refuseNoConnection_andEachIsAnswered() throws {
            let port = try freePort()
            let server = child("server", "inherited", "4") {
                $0.sockets = [SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port))]
                $0.policy.delay = DelayRule(first: .milliseconds(1), cap: .milliseconds(1), parkAfter: .max)
            }
            let tree = try RunningTree(Plan(children: [server]))
            #expect(try tree.client().ask("wait-ready server") == .reply(#"{"ready":true}"#))
            var runs: Set<String> = []
            var connections = 0
            while runs.count <= 50 {
                let answer = try #require(try ask(.inet([127, 0, 0, 1], port: port)), "connection \(connections)")
                let words = answer.split(whereSeparator: \.isWhitespace)
                try #require(words.count == 2 && words[1] == "web", "\(answer)")
                runs.insert(String(words[0]))
                connections += 1
            }
            #expect(connections >= 200)
            #expect(try tree.stop() == .code(0))
            #expect(try ask(.inet([127, 0, 0, 1], port: port)) == nil)
        }

        @Test func unixAndIPv6_areHandedInOrder_andGoWhenItIsStopped() throws {
            let directory = TemporaryDirectory()
            let path = directory.path + "/api.sock"
            let port = try freePort()
            let six = SocketAddress.inet6(Self.loopback6, port: port)
            let server = child("server", "inherited", "0") {
                $0.sockets = [
                    SocketPlan(
                        name: "api", address: .unix(path),
                        file: .init(mode: 0o640, user: kernel.userID(), group: kernel.groupID())),
                    SocketPlan(name: "six", address: .inet6(Self.loopback6, port: port)),
                ]
            }
            let tree = try RunningTree(Plan(children: [server]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready server") == .reply(#"{"ready":true}"#))
            #expect(try ask(.path(path))?.hasSuffix(" api:six\n") == true)
            #expect(try kernel.status(path, followingLinks: false).mode == 0o640)
            #expect(try client.ask("restart server") == .reply(#"{"outcome":"done"}"#))
            #expect(try ask(.path(path))?.hasSuffix(" api:six\n") == true)
            #expect(try client.ask("stop server") == .reply(#"{"outcome":"done"}"#))
            // Nobody is to wait for a child that is off.
            #expect(throws: Errno.noEntry) { try kernel.status(path, followingLinks: false) }
            #expect(try ask(six) == nil)
            #expect(try client.ask("start server") == .reply(#"{"outcome":"done"}"#))
            #expect(try ask(.path(path))?.hasSuffix(" api:six\n") == true)
        }

        @Test func worker_hasItsSocketBehindTheBus_andKeepsItOverAKill() throws {
            let directory = TemporaryDirectory()
            let path = directory.path + "/worker.sock"
            let server = child("server", "inherited-worker") {
                $0.worker = WorkerPlan(may: [])
                $0.readiness = .bus
                $0.policy.ready = .reported
                $0.policy.delay = DelayRule(first: .milliseconds(1), cap: .milliseconds(1), parkAfter: .max)
                $0.sockets = [
                    SocketPlan(
                        name: "web", address: .unix(path),
                        file: .init(mode: 0o600, user: kernel.userID(), group: kernel.groupID()))
                ]
            }
            let tree = try RunningTree(Plan(children: [server]))
            #expect(try tree.client().ask("wait-ready server") == .reply(#"{"ready":true}"#))
            let first = try #require(try ask(.path(path)))
            #expect(first.hasSuffix(" bus:bus:web\n"))
            let pid = try #require(first.split(separator: " ").first.flatMap { Int32($0) })
            kill(pid, SIGKILL)
            // Whoever the dying run had taken already is closed with it; the next one waits for the next run.
            var second = try ask(.path(path))
            while second == first || second?.isEmpty == true { second = try ask(.path(path)) }
            #expect(second?.hasSuffix(" bus:bus:web\n") == true)
        }

        @Test func addressInUse_parksItsChildAlone_andSaysWho() throws {
            let taken = try kernel.makeSocket(.inet, .stream)
            try kernel.bind(taken, to: .inet([127, 0, 0, 1], port: 0))
            try kernel.listen(taken, backlog: 1)
            let port = try kernel.boundPort(taken)
            let server = child("server", "inherited", "0") {
                $0.sockets = [SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port))]
            }
            let tree = try RunningTree(Plan(children: [server, child("other", "serve")]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready other") == .reply(#"{"ready":true}"#))
            guard case .error("failed", _) = try client.ask("wait-ready server") else {
                Issue.record("it started without its socket")
                return
            }
            let status = try client.status("server")
            #expect(status["state"] as? String == "parked" && status["cause"] as? String == "config")
            let words =
                "server: socket 'web' cannot listen on 127.0.0.1:\(port): Address already in use (EADDRINUSE); end what"
            #expect(try tree.said().contains(words))
        }

        @Test(arguments: [false, true])
        func listenerThatARunShutDown_isOpenedAnew(isUnix: Bool) throws {
            let directory = TemporaryDirectory()
            let port = try freePort()
            let plan: SocketPlan.Address =
                isUnix ? .unix(directory.path + "/s") : .inet([127, 0, 0, 1], port: port)
            let file = SocketPlan.File(mode: 0o600, user: kernel.userID(), group: kernel.groupID())
            let server = child("server", "inherited-shut") {
                $0.sockets = [SocketPlan(name: "web", address: plan, file: isUnix ? file : nil)]
            }
            let tree = try RunningTree(Plan(children: [server]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready server") == .reply(#"{"ready":true}"#))
            let first = try #require(try ask(SocketAddress(plan)))
            _ = try client.ask("restart server")
            #expect(try client.ask("wait-ready server") == .reply(#"{"ready":true}"#))
            let second = try #require(try ask(SocketAddress(plan)))
            #expect(second.hasSuffix(" web\n") && second != first)
        }

        @Test func leftOverSocketFile_isTakenOver_butNothingElseIs() throws {
            let directory = TemporaryDirectory()
            let path = directory.path + "/x.sock"
            let plan = [
                SocketPlan(name: "x", address: .unix(path), file: .init(mode: 0o600, user: kernel.userID(), group: 0))
            ]
            // A file without a listener, as a killed nexusd leaves it.
            do {
                let old = try kernel.makeSocket(.unix, .stream)
                try kernel.bind(old, to: .path(path))
            }
            let first = try ListeningSockets(kernel, plan)
            #expect(throws: ListeningSockets.Failure.self) { try ListeningSockets(kernel, plan) }
            // Somebody replaced it: not ours to remove.
            try kernel.removeFile(path)
            try kernel.replaceFile(path, with: [1], mode: 0o600)
            first.close()
            #expect(try kernel.status(path, followingLinks: false).kind == .regular)
            #expect(throws: ListeningSockets.Failure.self) { try ListeningSockets(kernel, plan) }
        }

        @Test func setUp_failingAtEveryCall_leavesNothingOpen_andNoFile() async {
            await #expect(processExitsWith: .success) {
                let directory = TemporaryDirectory()
                let plan = [
                    SocketPlan(name: "a", address: .inet([127, 0, 0, 1], port: 47_811)),
                    SocketPlan(
                        name: "b", address: .unix(directory.path + "/b"), kind: .datagram,
                        file: .init(mode: 0o660, user: LiveKernel().userID(), group: LiveKernel().groupID())),
                ]
                let leaks = try leaksDescriptors(over: 10) {
                    let calls = FaultyKernel.sweep(.tooManyOpen) { kernel in
                        if let sockets = try? ListeningSockets(kernel, plan) { sockets.close() }
                        _ = try? LiveKernel().removeFile(directory.path + "/b")
                    }
                    try #require(calls >= 8)
                }
                try #require(!leaks)
            }
        }
    }
}
