import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// systemd has a listening socket for some time after nexusd has said, or would have said, that it may go.
    @Suite(.timeLimit(.minutes(2)), .enabled(if: TestCgroup.isPossible, "needs root and a cgroup v2 mount"))
    struct UnclaimedSocketTests {
        private let kernel = LiveKernel()

        enum Kind: CaseIterable { case tcp, tcp6, udp, unix, unixDatagram }

        private func plan(_ kind: Kind, in directory: TemporaryDirectory) throws -> SocketPlan {
            let port = try SocketCaller.freePort()
            let own = SocketPlan.File(mode: 0o600, user: kernel.userID(), group: kernel.groupID())
            func path(_ kind: SocketPlan.Kind) -> SocketPlan {
                SocketPlan(name: "web", address: .unix(directory.path + "/web.sock"), kind: kind, file: own)
            }
            return switch kind {
            case .tcp: SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port))
            case .tcp6: SocketPlan(name: "web", address: .inet6([UInt8](repeating: 0, count: 15) + [1], port: port))
            case .udp: SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port), kind: .datagram)
            case .unix: path(.stream)
            case .unixDatagram: path(.datagram)
            }
        }

        /// As nexusd opens it.
        private func listener(_ plan: SocketPlan) throws -> OwnedFD {
            let address = SocketAddress(plan.address)
            let socket = try kernel.makeSocket(address.family, plan.kind == .stream ? .stream : .datagram)
            try kernel.prepareListening(socket)
            try kernel.bind(socket, to: address)
            if plan.kind == .stream { try kernel.listen(socket, backlog: 16) }
            return socket
        }

        private func ask(_ plan: SocketPlan) throws {
            let address = SocketAddress(plan.address)
            let client = try kernel.makeSocket(address.family, plan.kind == .stream ? .stream : .datagram)
            try? kernel.connect(client, to: address)
        }

        private func ready(_ client: ControlPeer, _ child: String) throws {
            try waitFor("\(child) is ready") { try client.state(child) == "ready" }
        }

        @Test(arguments: Kind.allCases)
        func socketThatNoStateNames_keepsNobodyFromItsAddress(kind: Kind) throws {
            let directory = TemporaryDirectory()
            let socket = try plan(kind, in: directory)
            let server = child("server", "serve") {
                $0.sockets = [socket]
                $0.policy.enabled = false
            }
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve"), server]))
            try ready(try systemd.start(), "plain")
            systemd.hear()
            try systemd.kill()
            let unclaimed = try listener(socket)
            // Who was asked once is in another state (unix(7), TCP_ESTABLISHED in /proc/net/unix).
            try ask(socket)
            try systemd.keep(unclaimed)
            systemd.isBusy = true
            let client = try systemd.start()
            #expect(try client.ask("start server") == .reply(#"{"outcome":"done"}"#))
            try ready(client, "server")
            #expect(try client.status("server")["restarts"] as? Int == 0)
            systemd.isBusy = false
            try waitFor("its own socket alone is kept") {
                systemd.store.count { $0.name.hasPrefix("nexus-socket-") } == 1
            }
            #expect(try systemd.stop() == .code(0))
        }

        /// The third nexusd does not go on with what it finds, and opens all of it anew.
        @Test func socketsThatNobodyGoesOnWith_areOpenedAnew() throws {
            let directory = TemporaryDirectory()
            let kinds: [Kind] = [.tcp, .udp, .unix]
            let servers = try kinds.map { kind in
                let socket = try plan(kind, in: directory)
                return child("of-\(kind)", "serve") { $0.sockets = [socket] }
            }
            let systemd = try StandInSystemd(Plan(children: [logWriter] + servers))
            func allReady(_ client: ControlPeer) throws { for kind in kinds { try ready(client, "of-\(kind)") } }
            try allReady(try systemd.start())
            let first = try systemd.client().pid("of-tcp")
            for round in 1...3 {
                systemd.isBusy = false
                systemd.hear()
                try systemd.kill()
                systemd.isBusy = true
                let client = try systemd.start()
                try allReady(client)
                #expect((try client.pid("of-tcp") == first) == (round < 3))
                for kind in kinds { #expect(try client.status("of-\(kind)")["restarts"] as? Int == 0) }
            }
            systemd.isBusy = false
            #expect(try systemd.stop() == .code(0))
        }

        /// Its name in the kernel's list is that of a file which is another's by now.
        @Test func fileOfSomebodyElse_inThePlaceOfAnUnclaimedSocket_stays() throws {
            let directory = TemporaryDirectory()
            let socket = try plan(.unixDatagram, in: directory)
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            try ready(try systemd.start(), "plain")
            systemd.hear()
            try systemd.kill()
            try systemd.keep(try listener(socket))
            let (path, mine) = (directory.path + "/web.sock", directory.path + "/mine.sock")
            let other = try kernel.makeSocket(.unix, .datagram)
            try kernel.bind(other, to: .path(mine))
            try kernel.rename(mine, to: path)
            let before = try kernel.status(path, followingLinks: false).inode
            try ready(try systemd.start(), "plain")
            #expect(try kernel.status(path, followingLinks: false).inode == before)
            #expect(try systemd.stop() == .code(0))
            _ = other
        }

        /// It is no error of the configuration, and takes as long as systemd does.
        @Test func widerAddressOnTheSamePort_whileSystemdIsBusy_isTriedAgain() throws {
            let port = try SocketCaller.freePort()
            func toml(_ host: String) -> String {
                """
                [child.server]
                command = ["\(Built.fixture)", "inherited", "0"]
                sockets = [{ name = "web", listen = "\(host):\(port)" }]
                delay = { first = "20ms", cap = "20ms", park-after = 1000 }
                """
            }
            let systemd = try StandInSystemd(listening: true)
            try systemd.write(toml: toml("127.0.0.1"))
            let client = try systemd.start()
            try ready(client, "server")
            try waitFor("its socket is kept") { systemd.store.contains { $0.name.hasPrefix("nexus-socket-") } }
            systemd.isBusy = true
            try systemd.write(toml: toml("0.0.0.0"))
            _ = try client.request("reload")
            let other = try systemd.client()
            try waitFor("its first try") {
                let end = try other.status("server")["last_end"] as? [String: Any]
                return (end?["detail"] as? String)?.contains("a socket of nexusd's own is there still") ?? false
            }
            #expect(try other.status("server")["state"] as? String != "parked")
            systemd.isBusy = false
            try ready(other, "server")
            #expect(try SocketCaller(.inet([127, 0, 0, 1], port: port)).answer()?.hasSuffix(" web\n") == true)
            #expect(try systemd.stop() == .code(0))
        }
    }
}
