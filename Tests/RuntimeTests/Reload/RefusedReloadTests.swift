import Foundation
import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// What the machine refuses in the middle of a reload: the old plan stays in force, whole.
    @Suite(.timeLimit(.minutes(1))) struct RefusedReloadTests {
        private let kernel = LiveKernel()

        /// A port of which somebody else listens, as long as this object is there.
        private final class Listener {
            let port: UInt16
            private let socket: OwnedFD

            init() throws {
                let kernel = LiveKernel()
                socket = try kernel.makeSocket(.inet, .stream)
                try kernel.bind(socket, to: .inet([127, 0, 0, 1], port: 0))
                try kernel.listen(socket, backlog: 1)
                port = try kernel.boundPort(socket)
            }
        }

        private func server(_ sockets: SocketPlan...) -> ChildPlan {
            child("server", "inherited", "0") { $0.sockets = sockets }
        }

        @Test func socketThatCannotBeBound_refusesTheWholeFile() throws {
            var taken: Listener? = try Listener()
            let port = try #require(taken?.port)
            let tree = try FileTree(Plan(children: [child("one", "serve"), child("two", "serve")]))
            let client = try tree.startReady()
            let before = try ["one", "two"].map { try client.pid($0) }
            let web = SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: port))
            let path = tree.path("a.sock")
            let file = SocketPlan(
                name: "file", address: .unix(path),
                file: .init(mode: 0o600, user: kernel.userID(), group: kernel.groupID()))
            let changed = child("one", "serve") { $0.policy.stop.timeout = .seconds(3) }
            try tree.write(Plan(children: [changed, server(file, web)]))
            let words =
                "server: socket 'web' cannot listen on 127.0.0.1:\(port): Address already in use (EADDRINUSE);"
                + " end what listens there, or take another address"
            #expect(try client.ask("reload") == .error(code: "failed", message: words))
            let answer = try tree.ctl(["reload"])
            #expect(answer.status == 1 && answer.output.isEmpty)
            #expect(answer.errors == "nexusctl: \(words)\n          nothing was changed\n")
            #expect(try client.names() == ["one", "two"])
            #expect(try ["one", "two"].map { try client.pid($0) } == before)
            #expect(tree.said().contains("Not reloaded, nothing is changed: " + words))
            #expect(throws: Errno.noEntry) { try kernel.status(path, followingLinks: false) }
            // The one that is kept keeps its old settings: the difference is still all of it.
            #expect(
                client.changes(try client.object("diff")) == ["one": "changed", "two": "removed", "server": "added"])
            taken = nil
            #expect(try client.reload().outcome == "done")
            #expect(try client.names() == ["one", "server"])
            #expect(try kernel.status(path, followingLinks: false).mode == 0o600)
            #expect(try client.pid("one") == before[0])
            #expect(try tree.stop() == .code(0))
        }

        /// Who asks by SIGHUP hears nothing: `status` says it until a file is taken.
        @Test(arguments: [true, false]) func refusal_isSaidByStatus_untilAFileIsTaken(bySignal: Bool) throws {
            let plan = Plan(children: [child("one", "serve")])
            let tree = try FileTree(plan)
            let client = try tree.startReady()
            let events = try client.request("events")
            let other = try ControlPeer(tree.socket)
            func notes() throws -> [String] {
                let notes = try other.object("status")["notes"] as? [String] ?? []
                return notes.filter { $0.hasPrefix("the last reload was refused at 20") }
            }
            func reload(_ kind: EventKind) throws {
                if bySignal { try tree.signal(.hangUp) } else { _ = try other.request("reload") }
                _ = try client.event(events) { $0["message_id"] as? String == kind.messageID }
            }
            try tree.refuse("/etc/x.toml:2:11: error: 'command' must be words\n/etc/x.toml:3:1: error: more\n")
            try reload(.reloadRefused)
            #expect(try notes().count == 1)
            let note = try #require(try notes().first)
            #expect(
                note.contains("Z, and nothing was changed: /etc/x.toml:2:11: error: 'command' must be words")
                    && note.hasSuffix(" (and 1 line more: `nexusctl check`)"), "\(note)")
            #expect(try tree.ctl(["status"]).output.contains("/etc/x.toml:2:11"))
            // A look is no reload.
            try tree.refuse(nil)
            _ = try other.object("diff")
            #expect(try notes().count == 1)
            try reload(.reloaded)
            #expect(try notes().isEmpty)
            #expect(try tree.stop() == .code(0))
        }

        @Test func childThatCannotComeUp_isSaidBehindTheDifference_withTheFileInForce() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")]))
            let client = try tree.startReady()
            let broken = child("broken", "serve") { $0.executable = "/nonexistent/program" }
            try tree.write(Plan(children: [child("one", "serve"), broken]))
            let answer = try tree.ctl(["reload"])
            #expect(answer.status == 1 && answer.output.contains("broken"), "\(answer)")
            #expect(answer.errors.hasPrefix("nexusctl: broken: it was given up for now"), "\(answer)")
            #expect(answer.errors.contains("the new file is in force; see: nexusctl status"), "\(answer)")
            #expect(try client.names() == ["one", "broken"])
            #expect(try tree.stop() == .code(0))
        }

        /// Its exec is all that it shows, and that says too little of a server that ends in its first moments.
        @Test func childThatDoesNotStay_isSaid_withTheFileInForce() throws {
            let tree = try FileTree(Plan(children: [child("one", "serve")]))
            let client = try tree.startReady()
            try tree.write(Plan(children: [child("one", "exit", "3")]))
            let answer = try tree.ctl(["reload"])
            #expect(answer.status == 1 && answer.output.contains("one restarted"), "\(answer)")
            #expect(
                answer.errors.contains("one: it ended ")
                    && answer.errors.contains(" after its start (crash: exit 3) and is tried again; see"), "\(answer)")
            #expect(answer.errors.contains("the new file is in force; see: nexusctl status"), "\(answer)")
            try tree.write(Plan(children: [child("one", "serve")]))
            #expect(try client.reload().outcome == "done")
            #expect(try client.state("one") == "ready")
            #expect(try tree.stop() == .code(0))
        }

        /// What listened there by itself and is given the socket from now on is stopped by the same reload.
        @Test func portOfARunThatTheReloadEnds_isNoRefusal() throws {
            let port = try Listener().port
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
            var taken: Listener? = try Listener()
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
                    "\($0)".contains("a run that is being ended listens there still")
                } ?? false
            }
            taken = nil
            try waitFor("the server") { try other.state("server") == "ready" }
            kill(pid, SIGKILL)
            guard case .stream = try client.end(of: reload) else { return #expect(Bool(false), "the file was refused") }
            #expect(try tree.stop() == .code(0))
            _ = taken
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

        /// Nothing of its sockets is new, but that it is to run.
        @Test func childThatIsSwitchedOn_whoseSocketCannotBeHad_refusesTheFile() throws {
            let taken = try Listener()
            let web = SocketPlan(name: "web", address: .inet([127, 0, 0, 1], port: taken.port))
            func plan(_ enabled: Bool) -> Plan {
                var server = server(web)
                server.policy.enabled = enabled
                return Plan(children: [child("one", "serve"), server])
            }
            let tree = try FileTree(plan(false))
            let client = try tree.startReady()
            try tree.write(plan(true))
            let answer = try tree.ctl(["reload"])
            #expect(answer.status == 1 && answer.errors.contains("Address already in use"), "\(answer)")
            #expect(try client.state("server") == "off")
            #expect(try tree.stop() == .code(0))
        }

        @Test func socketsThatAreKept_orRenamed_areNoRefusal() throws {
            let port = try Listener().port
            let address = SocketPlan.Address.inet([127, 0, 0, 1], port: port)
            let tree = try FileTree(Plan(children: [server(SocketPlan(name: "web", address: address))]))
            let client = try tree.startReady()
            let path = tree.path("b.sock")
            let more = SocketPlan(
                name: "more", address: .unix(path),
                file: .init(mode: 0o600, user: kernel.userID(), group: kernel.groupID()))
            try tree.write(Plan(children: [server(SocketPlan(name: "site", address: address), more)]))
            #expect(try client.reload().outcome == "done")
            #expect(try client.state("server") == "ready")
            #expect(try kernel.status(path, followingLinks: false).kind == .socket)
            #expect(try tree.stop() == .code(0))
        }

        @Test(arguments: [Call.changeMode, .changeOwner, .bind, .listen, .makeSocket])
        func callThatFailsInTheMiddle_leavesTheOldPlan(call: Call) throws {
            let complaints = try Forked.run { try Self.reload(against: call) }
            #expect(complaints == "")
        }

        /// A nexusd in this process, whose kernel refuses one kind of call from the reload on.
        private static func reload(against call: Call) throws -> String {
            let real = LiveKernel()
            let kernel = FaultyKernel()
            let directory = TemporaryDirectory()
            let plan = Plan(children: [child("one", "serve"), child("two", "serve")])
            try real.replaceFile(directory.path + "/plan", with: plan.encoded(), mode: 0o600)
            let arguments = [
                "--plan", directory.path + "/plan", "--state", directory.path, "--runtime", directory.path + "/run",
            ]
            let errors = try real.makePipe(blocking: .write)
            dup2(errors.write.raw, 2)
            let engine = try engine(plan, Options.parse(arguments), kernel)
            engine.begin()
            while !["one", "two"].allSatisfy({ engine.core.view(of: engine.names.child(named: $0)!).phase == .ready }) {
                engine.turn()
            }
            let before = engine.cells.map { $0.process }
            let socket = engine.surroundings.places.controlSocket
            let mode = try real.status(socket, followingLinks: false)
            var new = plan
            new.supervisor.readUids = [65_534]
            if call == .changeOwner { new.supervisor = SupervisorPlan(readGids: [65_534]) }
            new.children[0].policy.stop.timeout = .seconds(1)
            new.children[1].arguments.append(Text("0"))
            new.children.append(
                child("server", "serve") {
                    let file = SocketPlan.File(mode: 0o600, user: real.userID(), group: real.groupID())
                    if call != .changeMode, call != .changeOwner {
                        $0.sockets = [SocketPlan(name: "x", address: .unix(directory.path + "/x"), file: file)]
                    }
                })
            let update = try PlanUpdate(new, over: engine.plan.unpacked, engine.plan.arrangement) { _ in true }
            kernel.fault = FaultyKernel.Fault(call, nth: 1, error: .notPermitted)
            engine.reload(update, nil)
            kernel.fault = nil
            engine.journal.flush()
            var complaints: [String] = []
            func check(_ holds: Bool, _ what: String) { if !holds { complaints.append(what) } }
            check(kernel.failures == 1, "\(call.rawValue) was not met")
            check(engine.names.shown.children.count == 2, "it has the new plan")
            check(
                engine.plan.supervisor.readUids.isEmpty && engine.plan.supervisor.readGids.isEmpty, "the lists are new")
            check(engine.cells.map { $0.process } == before, "a process is another one")
            let after = try real.status(socket, followingLinks: false)
            check(after.mode == mode.mode && after.group == mode.group, "the socket's mode or owner is another")
            check((try? real.status(directory.path + "/x", followingLinks: false)) == nil, "a socket is left")
            let words = RunningTree.drain(errors.read, real)
            check(words.contains("Not reloaded, nothing is changed: ") && words.contains("EPERM"), words)
            engine.feed(.shutdown(level: 3))
            while engine.finished == nil { engine.turn() }
            return complaints.joined(separator: "; ")
        }

        private static func engine(_ plan: Plan, _ options: Options, _ kernel: FaultyKernel) throws -> Engine {
            let surroundings = try Surroundings.prepare(options, kernel) { _ in nil }
            let listener = try ControlListener(
                kernel, path: surroundings.places.controlSocket, plan.supervisor)
            return Engine(surroundings, PlanBook(plan), [:], listener: listener, readsFile: true, notes: [])
        }
    }
}

/// A process with one thread, as nexusd is: signals go to whichever thread of a test runner takes them.
enum Forked {
    /// Runs the body in a fork of this process; what it returns, or what it threw.
    static func run(_ body: () throws -> String) throws -> String {
        let pipe = try LiveKernel().makePipe(blocking: .write)
        let process = fork()
        if process == 0 {
            // Ends it should it hang; threads of a test runner block this signal.
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, SIGALRM)
            sigprocmask(SIG_UNBLOCK, &set, nil)
            alarm(30)
            var words: String
            do { words = try body() } catch { words = "it threw \(error)" }
            let bytes = Array(words.utf8)
            _ = Glibc.write(pipe.write.raw, bytes, bytes.count)
            _exit(0)
        }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        let words = RunningTree.drain(pipe.read, LiveKernel())
        return status == 0 ? words : "it ended with \(status): \(words)"
    }
}
