import Foundation
import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// Descriptors that others send, whose last close takes as long as they like: a TCP socket with SO_LINGER and unread data,
    /// in the queue of a socket pair. Whoever closes that waits.
    @Suite(.timeLimit(.minutes(2)), .enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"))
    struct DescriptorTests {
        /// `rest` is what is to be sent; `keep` are the sockets whose end releases who waits.
        static let lingering = """
            import array, os, socket, struct, sys, time
            def rights(fd): return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [fd]))]
            l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen(1)
            c = socket.socket(); c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536); c.connect(l.getsockname())
            a, _ = l.accept(); keep = (l, a)
            a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            c.setblocking(False)
            try:
                while True: c.send(b'x' * 65536)
            except BlockingIOError: pass
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 100))
            x, y = socket.socketpair()
            x.sendmsg([b'i'], rights(c.fileno())); c.close()
            rest = y.detach(); x.close()
            def send(s, text):  # nexusd stands still until it is the last one who has it
                os.kill(os.getppid(), 19)
                s.sendmsg([text], rights(rest)); os.close(rest); s.send(b'STATUS=behind')
                os.kill(os.getppid(), 18)

            """

        private func python(_ name: String, _ program: String, change: (inout ChildPlan) -> Void = { _ in })
            -> ChildPlan
        {
            child(name, readiness: .notify) { child in
                child.executable = "/usr/bin/python3"
                child.arguments = [Text("python3"), Text("-c"), Text(Self.lingering + program)]
                child.policy.restart = .never
                change(&child)
            }
        }

        @Test func descriptorThatIsSlowToClose_holdsUpItsSenderAlone() throws {
            let flag = TemporaryFlag()
            let evil = python(
                "evil",
                """
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET'])
                send(s, b'READY=1\\nSTATUS=sent')
                while not os.path.exists('\(flag.path)'): time.sleep(0.01)
                for k in keep: k.close()
                time.sleep(600)
                """)
            let tree = try RunningTree(Plan(children: [evil, child("other", "late-ready", "0", readiness: .notify)]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            // Heard, and its descriptor is in a thread's hands: the loop answers, restarts others, and hears them.
            #expect(try client.status("evil")["status"] as? String == "sent")
            for _ in 0..<3 { #expect(try client.ask("restart other") == .reply(#"{"outcome":"done"}"#)) }
            #expect(try client.status("evil")["status"] as? String == "sent")
            #expect(tree.threads.contains("nexusd-disposal"))
            flag.set()
            try waitFor("what was said behind it") { try client.status("evil")["status"] as? String == "behind" }
            try waitFor("the end of the thread") { !tree.threads.contains("nexusd-disposal") }
            #expect(try tree.stop() == .code(0))
        }

        @Test func runWhoseDescriptorIsStillClosing_isReplacedAndTheNextIsHeard() throws {
            let evil = python(
                "evil",
                """
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ['NOTIFY_SOCKET'])
                send(s, b'READY=1\\nSTATUS=%d' % os.getpid())
                if os.fork() == 0:  # keeps the other ends, so that the close goes on
                    os.setsid(); time.sleep(600)
                time.sleep(600)
                """)
            let tree = try RunningTree(Plan(children: [evil]))
            let client = try tree.client()
            _ = try client.ask("wait-ready")
            #expect(try client.ask("restart evil") == .reply(#"{"outcome":"done"}"#))
            _ = try client.ask("wait-ready")
            let status = try client.status("evil")
            #expect(status["status"] as? String == (status["pid"] as? Int).map { "\($0)" })
            #expect(try tree.stop() == .code(0))
        }

        @Test func nobodyCanSendDescriptorsToTheControlSocket_whereTheKernelKnowsThat() throws {
            let tree = try RunningTree(Plan(children: [child("c", "serve")]))
            let kernel = LiveKernel()
            let probe = try kernel.makeSocket(.unix, .stream)
            guard (try? kernel.refuseDescriptors(probe)) != nil else { return }  // before Linux 6.16: the next test
            let socket = try kernel.makeSocket(.unix, .stream)
            try kernel.connect(socket, to: .path(tree.socket))
            #expect(throws: Errno.notPermitted) {
                try [UInt8](repeating: 0, count: 1).withUnsafeBytes {
                    try kernel.send(socket, $0, passing: [probe.raw], to: nil)
                }
            }
            #expect(try tree.client().object("version")["protocol"] as? Int == 1)
        }

        /// Who is refused leaves them unread in the connection; it is closed by a thread.
        @Test func descriptorsOfARefusedClient_onAnOlderKernel_areClosedByAThread() throws {
            let directory = TemporaryDirectory()
            let program = """
                k = socket.socket(socket.AF_UNIX); k.connect('\(directory.path)/run/control.sock')
                k.sendmsg([struct.pack('>IBBHQ', 7, 1, 1, 0, 0) + b'1 1 bad'], rights(rest)); os.close(rest)
                def comm(t):
                    try: return open('/proc/%d/task/%s/comm' % (os.getppid(), t)).read()
                    except OSError: return ''
                while not any('disposal' in comm(t) for t in os.listdir('/proc/%d/task' % os.getppid())): time.sleep(0.01)
                os.kill(os.getppid(), 15); time.sleep(600)
                """
            let evil = child("evil") { child in
                child.executable = "/usr/bin/python3"
                child.arguments = [Text("python3"), Text("-c"), Text(Self.lingering + program)]
            }
            try LiveKernel().replaceFile(
                directory.path + "/plan", with: Plan(children: [evil]).encoded(), mode: 0o600)
            let options = try Options.parse([
                "--plan", directory.path + "/plan", "--state", directory.path, "--runtime", directory.path + "/run",
            ])
            // A process with one thread, as nexusd is: signals go to whichever thread of a test runner takes them.
            let process = fork()
            if process == 0 {
                let fault = FaultyKernel.Fault(
                    .refuseDescriptors, nth: 1, forEver: true, error: Errno(rawValue: ENOPROTOOPT))
                _exit((try? Nexusd.supervise(options, FaultyKernel(fault), endsProcess: true)) ?? 99)
            }
            let pidfd = try LiveKernel().openProcess(ProcessID(rawValue: process))
            // The close lasts 100 s; the process ends without it.
            let isOver = try waitUntil(pidfd, within: .seconds(60))
            #expect(isOver, "it hangs")
            if !isOver { kill(process, SIGKILL) }
            var status: Int32 = 0
            #expect(waitpid(process, &status, 0) == process)
            #expect(status == 0)
        }
    }
}

extension RunningTree {
    /// The names of nexusd's threads.
    var threads: [String] {
        let tasks = "/proc/\(processID)/task"
        let numbers = (try? LiveKernel().list(tasks)) ?? []
        return numbers.map { file("\(tasks)/\($0)/comm").trimmingCharacters(in: .newlines) }
    }
}
