import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// What is stopped (SIGSTOP, SIGTSTP) has every signal but SIGKILL pending until it goes on.
    @Suite(.timeLimit(.minutes(1))) struct StoppedTests {
        private let kernel = LiveKernel()

        /// The letter of proc_pid_stat(5).
        private func state(_ pid: Int32) -> String {
            let stat = String(
                decoding: (try? kernel.readFile("/proc/\(pid)/stat", limit: 4096)) ?? [], as: UTF8.self)
            return stat.split(separator: ")").last.map { String($0.dropFirst().prefix(1)) } ?? ""
        }

        /// Its main process, and one in a session of its own that stops itself and says when it has heard of the end.
        @Test(arguments: [false, true])
        func stoppedRun_endsByItsStopSignal_allOfIt(exact: Bool) throws {
            guard !exact || TestCgroup.isPossible else { return }
            let cgroup = exact ? try TestCgroup() : nil
            let other = "trap 'echo heard $$ >> $FIXTURE_PIDS; exit' TERM; echo up $$ >> $FIXTURE_PIDS; kill -STOP $$"
            let held = script(
                "held", "trap 'exit 7' TERM; setsid sh -c \"$OTHER\" & while :; do sleep 0.05; done"
            ) {
                $0.environment.append(Variable(name: "OTHER", value: Text(other)))
                $0.policy.stop.timeout = .seconds(20)
            }
            let tree = try RunningTree(
                Plan(children: [held]), environment: cgroup.map { ["NEXUS_CGROUP=\($0.path)"] } ?? [])
            let client = try tree.client()
            try waitFor("the other one to stop itself") { tree.registered("up").first.map(state) == "T" }
            let pid = try #require(try client.pid("held"))
            #expect(try client.ask("signal held STOP") == .reply(#"{"outcome":"done"}"#))
            try waitFor("held to be stopped") { state(pid) == "T" }
            #expect(try client.ask("stop held") == .reply(#"{"outcome":"done"}"#))
            let end = try client.end(of: "held")
            #expect(end["exit"] as? String == "exit 7" && end["cause"] as? String == "asked", "\(end)")
            #expect(tree.registered("heard") == tree.registered("up"))
            #expect(try tree.stop() == .code(0))
            try cgroup?.removeEmptied()
        }

        @Test func stoppedRunThatItsWatchdogEnds_hearsItsStopSignal() throws {
            let hung = script("hung", "kill -STOP $$; exec sleep 600") {
                $0.policy.watchdog = .milliseconds(300)
                $0.policy.restart = .never
                $0.policy.stop.timeout = .seconds(20)
            }
            let tree = try RunningTree(Plan(children: [hung]))
            let end = try tree.client().end(of: "hung")
            #expect(end["exit"] as? String == "signal 15 (TERM)" && end["cause"] as? String == "watchdog", "\(end)")
            #expect(try tree.stop() == .code(0))
        }

        /// It is nobody's by its environment, its session and its parent.
        @Test func stoppedStray_hearsOfTheEndOfTheTree() throws {
            let words = "trap 'echo heard $$ >> $0; exit' TERM; echo up $$ >> $0; kill -STOP $$"
            let bad = script("bad", "(setsid env -i /bin/sh -c \"$WORDS\" $FIXTURE_PIDS &); exec sleep 600") {
                $0.environment.append(Variable(name: "WORDS", value: Text(words)))
            }
            let tree = try RunningTree(Plan(children: [bad]))
            try waitFor("the stray to stop itself") { tree.registered("up").first.map(state) == "T" }
            #expect(try tree.stop() == .code(0))
            #expect(tree.registered("heard") == tree.registered("up"))
        }
    }
}
