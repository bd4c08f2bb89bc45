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

        private func server(_ sockets: SocketPlan...) -> ChildPlan {
            child("server", "inherited", "0") { $0.sockets = sockets }
        }

        @Test func socketThatCannotBeBound_refusesTheWholeFile() throws {
            var taken: ForeignListener? = try ForeignListener()
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

        /// Nothing of its sockets is new, but that it is to run.
        @Test func childThatIsSwitchedOn_whoseSocketCannotBeHad_refusesTheFile() throws {
            let taken = try ForeignListener()
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
            let port = try ForeignListener().port
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
