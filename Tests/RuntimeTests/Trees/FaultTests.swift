import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// Every call of the kernel fails once, at every place of a whole life of nexusd: it may refuse to start, or do its work
    /// all the same, but never trap, hang, or leave a process behind.
    @Suite(.timeLimit(.minutes(4))) struct FaultTests {
        @Test(arguments: [Errno.tooManyOpen, .noMemory])
        func everyCallMayFailOnce(error: Errno) throws {
            // A process with one thread, as nexusd is: signals go to whichever thread of a test runner takes them.
            let process = fork()
            if process == 0 {
                Self.silence()
                try? Self.sweep(error)
                _exit(0)
            }
            // No alarm(2): nexusd blocks its signal as any other that means nothing.
            let pidfd = try LiveKernel().openProcess(ProcessID(rawValue: process))
            let isOver = try waitUntil(pidfd, within: .seconds(130))
            #expect(isOver, "a run hangs")
            if !isOver { kill(process, SIGKILL) }
            var status: Int32 = 0
            #expect(waitpid(process, &status, 0) == process)
            #expect(status == 0)
        }

        private static func sweep(_ error: Errno) throws {
            let directory = TemporaryDirectory()
            let asker = script("asker", "read line < \"$FLAG\"; kill -TERM $PPID; exec sleep 600") { child in
                child.environment.append(Variable(name: "FLAG", value: Text(directory.path + "/plan")))
                child.pidFile = "asker.pid"
                child.policy.delay = DelayRule(first: .milliseconds(5), cap: .milliseconds(20), parkAfter: 1000)
            }
            let children = [
                asker, child("notify", "late-ready", "0", readiness: .notify),
                child("worker", "worker", readiness: .bus, worker: WorkerPlan()),
            ]
            let real = LiveKernel()
            try real.replaceFile(directory.path + "/plan", with: Plan(children: children).encoded(), mode: 0o600)
            let arguments = [
                "--plan", directory.path + "/plan", "--state", directory.path, "--runtime", directory.path + "/run",
            ]
            let options = try Options.parse(arguments)
            let calls = FaultyKernel.sweep(error, limit: 2000) { kernel in
                do throws(StartError) {
                    let status = try Nexusd.supervise(options, kernel)
                    if status != 0 { complain("the \(kernel.fault?.nth ?? 0). call ended the tree with \(status)") }
                } catch {
                    // Refused in words: as good as any end.
                    if error.message.isEmpty { complain("no words") }
                }
                while let ended = try? real.peekEnded() { _ = try? real.reap(ended.process) }
                guard let left = try? real.peekEnded() else { return }
                complain("a process is left: \(left)")
            }
            if calls < 100 { complain("only \(calls) calls were made") }
        }

        /// What hundreds of trees have to say is not for the test's output; complaints go to where 2 was.
        private static func silence() {
            dup2(2, complaints)
            let null = open("/dev/null", O_WRONLY)
            dup2(null, 2)
            close(null)
        }

        private static let complaints: Int32 = 100

        private static func complain(_ words: String) {
            let line = Array((words + "\n").utf8)
            _ = write(complaints, line, line.count)
            _exit(1)
        }
    }
}
