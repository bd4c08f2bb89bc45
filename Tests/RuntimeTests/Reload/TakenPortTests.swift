import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// A reload gives a child a port on which one of ours listens: a run that the reload ends, or a stray.
    @Suite(.timeLimit(.minutes(1))) struct TakenPortTests {
        private let kernel = LiveKernel()

        private func server(_ sockets: SocketPlan...) -> ChildPlan {
            child("server", "inherited", "0") { $0.sockets = sockets }
        }

        /// What listened there by itself and is given the socket from now on is stopped by the same reload.
        @Test func portOfARunThatTheReloadEnds_isNoRefusal() throws {
            let port = try ForeignListener().port
            let tree = try FileTree(Plan(children: [child("server", "listen", String(port))]))
            let client = try tree.startReady()
            try tree.write(
                Plan(children: [server(SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port)))]))
            #expect(try client.reload().outcome == "done")
            #expect(try client.state("server") == "ready")
            #expect(try tree.stop() == .code(0))
        }

        /// Nothing is seen of a process in the middle of its exit, whose sockets are closed a moment later. This one stays so for as
        /// long as it is wanted, and another keeps the socket.
        @Test func portOfARunInTheMiddleOfItsEnd_isNoRefusal() throws {
            var taken: ForeignListener? = try ForeignListener()
            let web = SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: try #require(taken?.port)))
            let tree = try FileTree(Plan(children: []))
            let leaving = """
                import os, signal, time
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                os.closerange(0, 1024)
                time.sleep(600)
                """
            let going = child("going") {
                $0.executable = "/usr/bin/python3"
                $0.arguments = ["python3", "-c", leaving].map { Text($0) }
                $0.policy.stop.timeout = .seconds(20)
            }
            try tree.write(Plan(children: [going]))
            let client = try tree.startReady()
            let pid = try #require(try client.pid("going"))
            try waitFor("its end to begin") { try kernel.list("/proc/\(pid)/fd").isEmpty }
            try tree.write(Plan(children: [server(web)]))
            let reload = try client.request("reload")
            let other = try ControlPeer(tree.socket)
            try waitFor("the server to wait") {
                (try? other.object("why server")).map {
                    "\($0)".contains("the run of going that is being ended is over")
                } ?? false
            }
            #expect(try other.state("server") == "waiting")
            taken = nil
            kill(pid, SIGKILL)
            try waitFor("the server") { try other.state("server") == "ready" }
            guard case .stream = try client.end(of: reload) else { return #expect(Bool(false), "the file was refused") }
            #expect(try tree.stop() == .code(0))
            _ = taken
        }

        /// It is nobody's failure: the taker, which one restart would park, starts once, when the other is gone.
        @Test func portOfARunThatIsLongInEnding_isWaitedFor_andNothingIsCounted() throws {
            let port = try ForeignListener().port
            let slow = """
                import signal, socket, time
                s = socket.socket()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", \(port)))
                s.listen()
                signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2.5), exit(0)))
                while True: time.sleep(600)
                """
            let holder = child("holder") {
                $0.executable = "/usr/bin/python3"
                $0.arguments = ["python3", "-c", slow].map { Text($0) }
            }
            let tree = try FileTree(Plan(children: [holder]))
            let client = try tree.startReady()
            let (pid, table) = (try #require(try client.pid("holder")), "/proc/net/tcp")
            let hex = String(port, radix: 16, uppercase: true)
            let address = "0100007F:" + String(repeating: "0", count: 4 - hex.count) + hex
            try waitFor("its socket") { try String(contentsOfFile: table, encoding: .utf8).contains(address) }
            var taker = server(SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port)))
            taker.policy.intensity = Intensity(restarts: 1, window: .seconds(60))
            taker.policy.delay.first = .milliseconds(1)
            try tree.write(Plan(children: [taker]))
            let reload = try client.request("reload")
            let other = try ControlPeer(tree.socket)
            try waitFor("the taker to wait") { (try? other.state("server")) == "waiting" }
            let why = try other.object("why server")
            #expect("\(why)".contains("it starts when the run of holder that is being ended is over"), "\(why)")
            #expect("\(why)".contains("nothing is counted"), "\(why)")
            guard case .stream = try client.end(of: reload) else { return #expect(Bool(false), "the file was refused") }
            let status = try other.status("server")
            #expect(status["state"] as? String == "ready" && status["restarts"] as? Int == 0, "\(status)")
            #expect(kill(pid, 0) != 0)
            #expect(try tree.stop() == .code(0))
        }

        /// What one socket waits for says nothing of another one, nor of another address with the same number.
        @Test(arguments: [false, true])
        func strangersPort_besideOneThatTheReloadFrees_refusesTheWholeFile(isOfTheSameNumber: Bool) throws {
            let port = try ForeignListener().port
            let tree = try FileTree(Plan(children: [child("holder", "listen", String(port))]))
            let client = try tree.startReady()
            let before = try #require(try client.pid("holder"))
            let stranger = isOfTheSameNumber ? try ForeignListener([127, 0, 0, 2], port: port) : try ForeignListener()
            let host: [UInt8] = isOfTheSameNumber ? [127, 0, 0, 2] : [127, 0, 0, 1]
            let (freed, taken) = (
                SocketPlan(name: "freed", address: .inet([127, 0, 0, 1], port: port)),
                SocketPlan(name: "taken", address: .inet(host, port: stranger.port))
            )
            for sockets in [[freed, taken], [taken, freed], [taken]] {
                try tree.write(Plan(children: [child("server", "inherited", "0") { $0.sockets = sockets }]))
                let answer = try client.ask("reload")
                guard case .error(code: "failed", let message) = answer else {
                    Issue.record("\(answer)")
                    continue
                }
                #expect(message.hasPrefix("server: socket 'taken' cannot listen on "), "\(message)")
                #expect(message.hasSuffix("; end what listens there, or take another address"), "\(message)")
            }
            #expect(try client.pid("holder") == before)
            #expect(try tree.stop() == .code(0))
            _ = stranger
        }

        /// nexusd's own socket of the same number says nothing of it either.
        @Test func strangersAddress_besideOneThatNexusdHas_refusesTheWholeFile() throws {
            let port = try ForeignListener().port
            func socket(_ host: [UInt8]) -> SocketPlan {
                SocketPlan(name: "on-\(host[3])", address: .inet(host, port: port))
            }
            let (own, taken, any) = (socket([127, 0, 0, 1]), socket([127, 0, 0, 2]), socket([0, 0, 0, 0]))
            let tree = try FileTree(Plan(children: [server(own)]))
            let client = try tree.startReady()
            let before = try #require(try client.pid("server"))
            let stranger = try ForeignListener([127, 0, 0, 2], port: port)
            func other(_ sockets: SocketPlan...) -> ChildPlan {
                child("other", "inherited", "0") { $0.sockets = sockets }
            }
            for plan in [server(own, taken), server(any), other(own, taken), other(taken, own), other(any)] {
                try tree.write(Plan(children: [plan]))
                let answer = try client.ask("reload")
                guard case .error(code: "failed", let message) = answer else {
                    Issue.record("\(plan.sockets): \(answer)")
                    continue
                }
                #expect(message.contains("Address already in use (EADDRINUSE); end what listens there"), "\(message)")
            }
            #expect(try client.pid("server") == before && client.names() == ["server"])
            #expect(try tree.stop() == .code(0))
            _ = stranger
        }

        /// Nobody who connects there is to notice that another address of its is waited for.
        @Test func socketThatIsKept_staysOpen_whileAnotherOneIsWaitedFor() throws {
            let ports = [try ForeignListener().port, try ForeignListener().port]
            let sockets = ["kept", "new"].enumerated().map { place, name in
                SocketPlan(name: name, address: .inet([127, 0, 0, 1], port: ports[place]))
            }
            let ready = child("holder") {
                $0.executable = "/usr/bin/python3"
                $0.arguments = ["python3", "-c", Self.slow, String(ports[1])].map { Text($0) }
                $0.readiness = .notify
                $0.policy.ready = .reported
            }
            let tree = try FileTree(Plan(children: [ready, server(sockets[0])]))
            let client = try tree.startReady()
            try tree.write(Plan(children: [server(sockets[0], sockets[1])]))
            let reload = try client.request("reload")
            let other = try ControlPeer(tree.socket)
            try waitFor("the server to wait") { (try? other.state("server")) == "waiting" }
            let caller = try SocketCaller(.inet([127, 0, 0, 1], port: ports[0]))
            #expect(try other.state("server") == "waiting")
            #expect(try caller.answer()?.hasSuffix(" kept:new\n") == true)
            guard case .stream = try client.end(of: reload) else { return #expect(Bool(false), "the file was refused") }
            #expect(try other.status("server")["unstable_runs"] as? Int == 0)
            #expect(try tree.stop() == .code(0))
        }

        /// Listens, says that it is ready, and takes its time to end.
        private static let slow = """
            import os, signal, socket, sys, time
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", int(sys.argv[1])))
            s.listen()
            signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1.5), os._exit(0)))
            n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            n.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
            while True: time.sleep(600)
            """

        @Test func portOfARunThatTheReloadSwitchesOff_isNoRefusal() throws {
            let port = try ForeignListener().port
            var holder = child("holder", "listen", String(port))
            let tree = try FileTree(Plan(children: [holder]))
            let client = try tree.startReady()
            holder.policy.enabled = false
            let web = SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port))
            try tree.write(Plan(children: [holder, server(web)]))
            #expect(try client.reload().outcome == "done")
            #expect(try client.state("server") == "ready" && client.state("holder") == "off")
            #expect(try tree.stop() == .code(0))
        }

        /// Listens, and leaves a process of another session without an environment behind, which has the socket too.
        private func leaver(_ file: String, staying: Bool) -> ChildPlan {
            child("leaver") {
                $0.executable = "/usr/bin/python3"
                $0.arguments = ["python3", "-c", Self.leaving, file, staying ? "stay" : "go"].map { Text($0) }
            }
        }

        private static let leaving = """
            import os, socket, sys, time
            s = socket.socket()
            # A port that somebody had chosen before might be another test's by now.
            s.bind(("127.0.0.1", 0))
            s.listen()
            if os.fork() == 0:
                os.setsid()
                r, w = os.pipe()
                if os.fork() == 0:
                    os.set_inheritable(s.fileno(), True)
                    with open(sys.argv[1] + ".new", "w") as f: f.write(f"{os.getpid()} {s.getsockname()[1]}")
                    os.rename(sys.argv[1] + ".new", sys.argv[1])
                    os.execve("/bin/sleep", ["sleep", "600"], {})
                # It is orphaned when nothing tells any more whose it is: the exec closes its end.
                os.close(w)
                os.read(r, 1)
                os._exit(0)
            os.wait()
            if sys.argv[2] == "go": s.close()
            time.sleep(600)
            """

        /// Alone, or beside a run that the reload ends: the stray keeps the port when that run is gone.
        @Test(arguments: [false, true]) func portOfAStray_refusesTheWholeFile_andNamesIt(staying: Bool) throws {
            let tree = try FileTree(Plan(children: []))
            let file = tree.path("stray")
            try tree.write(Plan(children: [leaver(file, staying: staying)]))
            let client = try tree.startReady()
            func told() -> [Int32] {
                let bytes = (try? kernel.readFile(file, limit: 64)) ?? []
                return String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
            }
            try waitFor("the stray") {
                let strays = try client.object("status")["strays"] as? [[String: Any]] ?? []
                return strays.contains {
                    $0["pid"] as? Int == told().first.map { Int($0) } && $0["name"] as? String == "sleep"
                }
            }
            let (stray, port) = try #require(told().count == 2 ? (told()[0], UInt16(told()[1])) : nil)
            let before = try client.pid("leaver")
            let web = SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port))
            let new = Plan(children: staying ? [server(web)] : [leaver(file, staying: staying), server(web)])
            try tree.write(new)
            let words =
                "server: socket 'web' cannot listen on 127.0.0.1:\(port): Address already in use (EADDRINUSE): sleep (pid"
                + " \(stray)), a stray that was a child's, listens there; end it (kill \(stray)), or take another address"
            #expect(try client.ask("reload") == .error(code: "failed", message: words))
            #expect(try client.names() == ["leaver"])
            #expect(try client.pid("leaver") == before)
            kill(stray, SIGKILL)
            try waitFor("its end") { try client.object("status")["stray_count"] as? Int == 0 }
            #expect(try client.reload().outcome == "done")
            #expect(try client.state("server") == "ready")
            #expect(try tree.stop() == .code(0))
        }
    }
}
