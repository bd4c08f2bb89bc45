import Plan
import SupervisorCore
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct RemovedLogTests {
        @Test func logsOfAChildThatIsNotInTheFileAnyMore_areShownStill() throws {
            let tree = try FileTree(Plan(children: [child("none", "serve")]))
            let gone = script(
                "gone", "trap 'echo last words; exit 0' TERM; echo first words; echo up; sleep 1000 & wait"
            ) {
                $0.readiness = .logLine(LinePattern(pieces: [.literal("up")]))
                $0.policy.ready = .reported
            }
            try tree.write(Plan(children: [tree.logWriter, gone, child("stays", "serve")]))
            let client = try tree.startReady()
            try tree.write(Plan(children: [tree.logWriter, child("stays", "serve")]))
            #expect(try client.reload().outcome == "done")
            #expect(try client.names() == ["log-writer", "stays"])
            var logs = try tree.ctl(["logs", "gone"])
            // Its end was seen before log-writer has written its last line.
            try waitFor("its last words") {
                logs = try tree.ctl(["logs", "gone"])
                return logs.output.contains("last words")
            }
            #expect(logs.status == 0 && logs.output.contains("gone: first words"))
            #expect(try tree.ctl(["logs"]).output.contains("gone: last words"))
            #expect(try tree.ctl(["logs", "gone", "--json"]).output.contains(#""child":"gone""#))
            // Nearest names are those one can ask for.
            let wrong = try tree.ctl(["why", "gone"])
            #expect(wrong.status == 2 && !wrong.errors.contains("did you mean"), "\(wrong.errors)")
            let history = try tree.ctl(["history", "gone"])
            #expect(history.status == 0 && history.output.contains("exit 0"), "\(history.errors)")
            #expect(try tree.stop() == .code(0))
            #expect(try tree.ctl(["logs", "gone", "-n", "1"]).output.contains("last words"))
        }
    }
}
