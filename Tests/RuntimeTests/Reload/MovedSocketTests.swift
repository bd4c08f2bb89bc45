import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// A reload that gives a listening socket to another child.
    @Suite(.timeLimit(.minutes(1))) struct MovedSocketTests {
        private func server(_ name: String, _ port: UInt16, host: [UInt8] = [127, 0, 0, 1]) -> ChildPlan {
            child(name, "inherited", "0") {
                $0.sockets = [SocketPlan(name: "of-\(name)", address: .inet(host, port: port))]
            }
        }

        /// Who answers there.
        private func answer(_ port: UInt16) throws -> String {
            try SocketCaller(.inet([127, 0, 0, 1], port: port)).answer() ?? "nobody"
        }

        @Test func twoChildrenSwapTheirPorts_bothServe() throws {
            let ports = [try SocketCaller.freePort(), try SocketCaller.freePort()]
            let tree = try FileTree(Plan(children: [server("x", ports[0]), server("y", ports[1])]))
            let client = try tree.startReady()
            try tree.write(Plan(children: [server("x", ports[1]), server("y", ports[0])]))
            #expect(try client.reload().outcome == "done")
            #expect(try ["x", "y"].map { try client.state($0) } == ["ready", "ready"])
            #expect(try answer(ports[0]).hasSuffix(" of-y\n"))
            #expect(try answer(ports[1]).hasSuffix(" of-x\n"))
            #expect(try tree.stop() == .code(0))
        }

        @Test func childIsRenamed_whileItsOldRunIsStillEnding_theNewOneHasTheSocket() throws {
            let port = try SocketCaller.freePort()
            let old = child("old", "ignore-term") {
                $0.sockets = [SocketPlan(name: "of-old", address: .inet([127, 0, 0, 1], port: port))]
                $0.policy.stop.timeout = .seconds(2)
            }
            let tree = try FileTree(Plan(children: [old]))
            let client = try tree.startReady()
            try tree.write(Plan(children: [server("new", port)]))
            #expect(try client.reload().outcome == "done")
            #expect(try client.state("new") == "ready")
            #expect(try answer(port).hasSuffix(" of-new\n"))
        }

        @Test func widerAddressOnTheSamePort_waitsForTheRunThatHasIt() throws {
            let port = try SocketCaller.freePort()
            let old = child("old", "ignore-term") {
                $0.sockets = [SocketPlan(name: "of-old", address: .inet([127, 0, 0, 1], port: port))]
                $0.policy.stop.timeout = .seconds(1)
            }
            let tree = try FileTree(Plan(children: [old]))
            let client = try tree.startReady()
            try tree.write(Plan(children: [server("new", port, host: [0, 0, 0, 0])]))
            _ = try client.reload()
            #expect(try client.ask("wait-ready new") == .reply(#"{"ready":true}"#))
            #expect(try answer(port).hasSuffix(" of-new\n"))
        }
    }
}
