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
    /// A real run that outlives SIGKILL. Whoever traces a process from outside keeps what is left of it, and its parent
    /// cannot reap it before the tracer lets go (ptrace(2)): for nexusd that is a process that does not end.
    @Suite(
        .timeLimit(.minutes(1)), .enabled(if: Tracer.isPossible, "needs root and python3 to trace a child from outside")
    )
    struct UnkillableTests {
        private let kernel = LiveKernel()

        /// A child that is soon called unkillable.
        private func held(_ change: (inout ChildPlan) -> Void = { _ in }) -> ChildPlan {
            child("held", "serve") {
                $0.policy.stop.timeout = .milliseconds(300)
                $0.policy.stop.killGrace = .milliseconds(300)
                change(&$0)
            }
        }

        /// What `events` says of one child until `last` comes, by kind and run.
        private func told(
            of child: String, until last: EventKind, _ listener: ControlPeer, _ id: FrameID
        ) throws -> [(kind: EventKind, run: String?)] {
            let kinds = Dictionary(uniqueKeysWithValues: EventKind.allCases.map { ($0.messageID, $0) })
            var all: [(kind: EventKind, run: String?)] = []
            _ = try listener.event(id) { event in
                guard event["child"] as? String == child, let kind = kinds[event["message_id"] as? String ?? ""] else {
                    return false
                }
                all.append((kind, event["run"] as? String))
                return kind == last
            }
            return all
        }

        @Test(arguments: [false, true])
        func runThatOutlivesSIGKILL_isShown_notReplaced_holdsUpNobody_untilItIsGone(exact: Bool) throws {
            guard !exact || TestCgroup.isPossible else { return }
            let cgroup = exact ? try TestCgroup() : nil
            let plan = Plan(children: [
                child("base", "serve"), held { $0.policy.requires = [ChildID(rawValue: 1)] }, child("other", "serve"),
            ])
            let tree = try RunningTree(plan, environment: cgroup.map { ["NEXUS_CGROUP=\($0.path)"] } ?? [])
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let listener = try tree.client()
            let events = try listener.request("events")
            _ = try listener.ask("version")
            let before = try client.status("held")
            let run = try #require(before["run"] as? String)
            let process = try #require(before["pid"] as? Int32)
            let tracer = try Tracer(of: process)

            let stopped = try tree.ctl("stop", "held")
            #expect(stopped.status == 1 && stopped.errors.contains("held: it outlived SIGKILL"), "\(stopped)")
            let status = try client.status("held")
            #expect(status["state"] as? String == "unkillable" && status["run"] as? String == run)
            #expect(status["pid"] as? Int32 == process)
            let table = try tree.ctl("status").output
            #expect(table.contains("outlived SIGKILL: ended by nobody, replaced by nobody; see process \(process)"))
            let why = try tree.ctl("why", "held").output
            #expect(why.contains("SIGKILL did not end it within `kill-grace`"), "\(why)")
            #expect(why.contains("nothing while it is there"), "\(why)")

            // Wanted again it is replaced, but not beside what is there. What it requires waits for nobody.
            let started = try tree.ctl("start", "held")
            #expect(started.status == 1 && started.errors.contains("held: it outlived SIGKILL"), "\(started)")
            for name in ["base", "other"] {
                #expect(try client.ask("restart \(name)") == .reply(#"{"outcome":"done"}"#))
            }
            #expect(try client.status("held")["run"] as? String == run)
            #expect(try client.state("held") == "unkillable")
            // Nor is it looked at again and again: the time itself is what is looked at.
            let turns = try client.turns()
            usleep(500_000)
            #expect(try client.turns() - turns < 20)

            try tracer.release()
            let all = try told(of: "held", until: .ready, listener, events)
            #expect(all.map(\.kind) == [.stopping, .killing, .unkillable, .ended, .starting, .ready])
            #expect(all.prefix(4).allSatisfy { $0.run == run } && all.suffix(2).allSatisfy { $0.run != run })
            let end = try client.end(of: "held")
            #expect(end["cause"] as? String == "asked" && end["exit"] as? String == "signal 9 (KILL)")
            #expect(try tree.stop() == .code(0))
            try cgroup?.removeEmptied()
        }

        @Test func endOfTheTree_isExit1WithItsName_andOneEndRecord() throws {
            let tree = try RunningTree(Plan(children: [logWriter, held(), child("other", "serve")]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let status = try client.status("held")
            let run = try #require(status["run"] as? String)
            let other = try #require(try client.pid("other"))
            let tracer = try Tracer(of: #require(status["pid"] as? Int32))
            #expect(try tree.stop() == .code(1))
            #expect(!tree.isAlive(other))
            let said = try tree.said()
            #expect(said.contains("held outlived SIGKILL; it is not replaced while it is there."), "\(said)")
            #expect(said.contains("The tree is left with a rest that did not end (of held), after"), "\(said)")
            let log = tree.file(tree.state + "/logs/nexusd/current")
            #expect(log.contains("other ended after") && log.contains("held outlived SIGKILL"))
            let ends = (said + log).split(separator: "\n").filter { $0.contains("held ended after") }
            #expect(ends.count == 1 && ends[0].contains("still there (unkillable)"), "\(ends)")
            // The book of runs has it too: it was told before log-writer drained.
            let book = tree.file(tree.state + "/logs/runs").split(separator: "\n").filter { $0.contains(" \(run) ") }
            #expect(book.count == 2 && book.last?.contains(" ended held ") == true, "\(book)")
            #expect(!tree.file(tree.runtime + "/life").isEmpty, "the next nexusd looks for it")
            try tracer.release()
        }

        @Test func whatEndsAfterItsRecordWasTold_isNotSaidToBeLeft_andTheStatusStays() throws {
            let tree = try RunningTree(Plan(children: [held()]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            let tracer = try Tracer(of: #require(try client.pid("held")))
            try tree.signal(.terminate)
            var said = ""
            try waitFor("its end record") {
                said += try tree.said()
                return said.contains("still there (unkillable)")
            }
            try tracer.release()
            #expect(try tree.end() == .code(1))
            said += try tree.said()
            #expect(said.contains("The tree is stopped, and what had outlived SIGKILL is gone too, after"), "\(said)")
            #expect(said.components(separatedBy: "held ended after").count == 2)
            #expect(tree.file(tree.runtime + "/life").isEmpty)
        }
    }
}

/// A process outside of the tree that traces one of its children, and never waits for it.
private final class Tracer {
    static let isPossible = geteuid() == 0 && access("/usr/bin/python3", X_OK) == 0
    private let kernel = LiveKernel()
    private let process: Spawned
    private var isOver = false

    /// PTRACE_SEIZE.
    private static let program = """
        import ctypes, signal, sys
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        if libc.ptrace(0x4206, int(sys.argv[1]), None, None) != 0: sys.exit(ctypes.get_errno())
        print("traced", flush=True)
        while True: signal.pause()
        """

    init(of child: Int32) throws {
        let pipe = try kernel.makePipe(blocking: .write)
        var image = SpawnImage(
            executable: "/usr/bin/python3", arguments: ["python3", "-c", Self.program, "\(child)"],
            environment: ["PATH=/usr/bin:/bin"])
        image.descriptors = [
            DescriptorMapping(source: pipe.write.raw, target: 1), DescriptorMapping(source: 2, target: 2),
        ]
        image.deathSignal = .kill
        process = try kernel.spawn(image)
        guard try waitUntil(pipe.read), RunningTree.drain(pipe.read, kernel) == "traced\n" else {
            throw NotInTime(what: "tracing \(child)")
        }
    }

    /// What a tracer held goes on to its parent when the tracer ends.
    func release() throws {
        guard !isOver else { return }
        isOver = true
        try kernel.signal(process.pidfd, .kill)
        _ = try waitForExit(process)
    }

    deinit { try? release() }
}
