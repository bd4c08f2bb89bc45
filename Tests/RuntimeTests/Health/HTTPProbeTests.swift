import Foundation
import Glibc
import Plan
import SupervisorCore
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// HTTP probes by the real nexus-probe, of a server whose behaviour a file decides.
    @Suite(.timeLimit(.minutes(1))) struct HTTPProbeTests {
        /// Each way not to be healthy, what is said of it, and back.
        @Test func everyUnhealthyAnswer_isSaidInItsWords_andAHealthyOneTakesItBack() throws {
            let server = try Server()
            let tree = try RunningTree(Plan(children: [server.child(misses: 100), prober]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready server") == .reply(#"{"ready":true}"#))
            for (mode, words) in [
                ("500", "HTTP 500"), ("302", "HTTP 302"), ("hang", "no answer within 500 ms"),
                ("garbage", "not HTTP"), ("close", "no data"), ("big", "its head"),
            ] {
                try server.answer(mode)
                try waitFor("\(mode) is said") {
                    let health = try client.status("server")["health"] as? String
                    return health?.contains(words) == true
                }
                try server.answer("200")
                try waitFor("\(mode) is over") {
                    try client.status("server")["health"] as? String == nil
                }
            }
            #expect(try client.state("server") == "ready")
            #expect(try tree.stop() == .code(0))
        }

        @Test func missesInARow_endTheRun_withCauseProbe() throws {
            let server = try Server()
            let tree = try RunningTree(Plan(children: [server.child(misses: 3), prober]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready server") == .reply(#"{"ready":true}"#))
            let events = try client.request("events")
            try server.answer("500")
            let ended = try client.event(events) { $0["message_id"] as? String == EventKind.ended.messageID }
            #expect(ended["child"] as? String == "server")
            #expect((ended["fields"] as? [String: String])?["CAUSE"] == "probe")
        }

        /// Killed while the server lets it wait: no miss, though one would end the run.
        @Test func proberKilledMidProbe_isNoMiss_andComesBack() throws {
            let server = try Server()
            let tree = try RunningTree(
                Plan(children: [server.child(misses: 1, timeout: .seconds(60)), prober]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready server") == .reply(#"{"ready":true}"#))
            let pid = try #require(try client.pid("server"))
            try server.answer("hang")
            let first = try #require(try client.pid("nexus-probe"))
            try waitFor("a probe hangs") { try server.hanging > 0 }
            try server.answer("200")
            kill(first, SIGKILL)
            try waitFor("it is back") {
                let next = try client.pid("nexus-probe")
                return next != nil && next != first
            }
            let before = try server.served
            try waitFor("probes go on") { try server.served > before }
            #expect(try client.pid("server") == pid)
        }

        /// A worker that says ready and never answers, or answers nonsense, judges nobody.
        @Test func lyingProber_changesNothing_andIsSaid() throws {
            let server = try Server()
            let liar = server.liar()
            let tree = try RunningTree(Plan(children: [server.child(misses: 1, ready: .spawned), liar]))
            let client = try tree.client()
            try waitFor("it is said") {
                let health = try client.status("server")["health"] as? String
                return health == #"no verdict: nexus-probe answered what is no answer: "status 999 1""#
            }
            #expect(try client.state("server") == "ready")
        }
    }
}

/// The stand-in server: a script whose answers a file decides; it notes what it served.
private struct Server {
    let directory = TemporaryDirectory()
    let port: UInt16

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = getsockname(listener, $0, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try answer("200")
        try Self.script.write(toFile: directory.path + "/server.py", atomically: true, encoding: .utf8)
    }

    func answer(_ mode: String) throws {
        try mode.write(toFile: directory.path + "/mode", atomically: true, encoding: .utf8)
    }

    var served: Int { get throws { try count("200") } }
    var hanging: Int { get throws { try count("hang") } }

    private func count(_ mode: String) throws -> Int {
        guard let text = try? String(contentsOfFile: directory.path + "/served", encoding: .utf8) else { return 0 }
        return text.split(separator: "\n").count { $0 == mode }
    }

    func child(
        misses: UInt8, timeout: Duration = .milliseconds(500), ready: Readiness? = nil
    ) -> ChildPlan {
        let probe = Probe.http(
            HTTPProbe(
                host: "127.0.0.1", port: Text(String(port)),
                statuses: [HTTPProbe.StatusRange(first: 200, last: 299)], timeout: timeout))
        return RuntimeTests.child("server", readiness: ready ?? .probe(probe)) {
            $0.executable = "/usr/bin/python3"
            $0.arguments = [
                Text("python3"), Text(directory.path + "/server.py"), Text(String(port)), Text(directory.path),
            ]
            $0.liveness = probe
            $0.policy.liveness = LivenessRule(interval: .milliseconds(30), misses: misses)
        }
    }

    /// Answers every question with a status that there is not.
    func liar() -> ChildPlan {
        var child = prober
        child.executable = "/usr/bin/python3"
        child.arguments = [Text("python3"), Text("-c"), Text(Self.lie)]
        return child
    }

    private static let lie = """
        import os, struct
        def send(kind, ident, payload):
            os.write(4, struct.pack(">IBBHQ", len(payload), 1, kind, 0, ident) + payload)
        send(1, 0, b"1 1 liar")
        send(15, 0, b"")
        with os.fdopen(3, "rb") as bus:
            while head := bus.read(16):
                length, _, kind, _, ident = struct.unpack(">IBBHQ", head)
                bus.read(length)
                if kind == 3: send(4, ident, b"status 999 1")
                if kind == 13: break
        """

    private static let script = """
        import socket, sys, threading
        port, place = int(sys.argv[1]), sys.argv[2]
        def serve(peer):
            mode = open(place + "/mode").read()
            try:
                peer.recv(4096)
                with open(place + "/served", "a") as book: book.write(mode + "\\n")
                if mode == "hang": peer.recv(1)
                elif mode == "garbage": peer.sendall(b"these are not the words\\r\\n\\r\\n")
                elif mode == "big": peer.sendall(b"HTTP/1.1 200 OK\\r\\n" + b"X: " + b"y" * 1000000 + b"\\r\\n\\r\\n")
                elif mode == "close": pass
                else: peer.sendall(f"HTTP/1.1 {mode} So\\r\\nLocation: /\\r\\nContent-Length: 2\\r\\n\\r\\nok".encode())
            except OSError: pass
            peer.close()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """
}
