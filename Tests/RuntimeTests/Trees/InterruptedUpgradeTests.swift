import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// An upgrade whose program ends while it takes over: who is started in its place says so, whoever it is.
extension WholeTrees {
    @Suite(.timeLimit(.minutes(2)), .enabled(if: TestCgroup.isPossible, "needs root and a cgroup v2 mount"))
    struct InterruptedUpgradeTests {
        @Test(arguments: [
            ("exit 7", Exit.code(7)), ("exit 0", .code(0)),
            ("kill -KILL $$", .signal(.kill, coreDumped: false, oom: false)),
        ])
        func programThatEndsWhileItTakesOver_childrenGoOn_andItIsSaid(end: String, exit: Exit) throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            let seen = systemd.directory.path + "/stage-seen"
            systemd.program = systemd.directory.path + "/nexusd"
            try FileManager.default.copyItem(atPath: Built.nexusd, toPath: systemd.program)
            var client = try systemd.start()
            _ = try client.ask("wait-ready")
            let before = try client.pid("plain")
            systemd.hear()
            let broken = """
                #!/bin/sh
                [ "$1" = --check-handover ] && { echo "ok 9.9.9"; exit 0; }
                cp "\(systemd.runtime)/stage" "\(seen)"
                \(end)
                """
            try LiveKernel().replaceFile(systemd.program, with: Array(broken.utf8), mode: 0o755)
            #expect(try client.object("upgrade")["outcome"] as? String == "begins")
            #expect(try systemd.ended() == exit)
            #expect(systemd.file(seen).hasSuffix("\nhanding over: upgrade 1 of \(NexusVersion.current)\n"))
            systemd.program = Built.nexusd
            client = try systemd.start()
            #expect(try client.pid("plain") == before)
            let outcome = try client.object("version")["upgrade"] as? [String: Any] ?? [:]
            #expect(outcome["outcome"] as? String == "interrupted" && outcome["number"] as? Int == 1, "\(outcome)")
            #expect((outcome["why"] as? String ?? "").hasSuffix("and 2 runs of before go on"), "\(outcome)")
            let notes = try client.object("status")["notes"] as? [String] ?? []
            for words in ["ended before it served", "an earlier nexusd ended in an upgrade: 2 runs of it go on"] {
                #expect(notes.contains { $0.contains(words) }, "\(notes)")
            }
            let next = try client.object("why plain")["next"] as? String ?? ""
            #expect(next.contains("from a nexusd that ended in an upgrade"), "\(next)")
            #expect(systemd.file(systemd.runtime + "/stage").hasSuffix("\nserving\n"))
            // The next one counts on, and its word takes the place of that one.
            let again = try upgrade(systemd.runtime + "/control.sock")
            #expect(again["outcome"] as? String == "done" && again["number"] as? Int == 2, "\(again)")
            client = try systemd.client()
            let after = try client.object("status")["notes"] as? [String] ?? []
            #expect(!after.contains { $0.contains("ended before it served") }, "\(after)")
            #expect(systemd.file(systemd.runtime + "/stage").hasSuffix("\nserving\n"))
            #expect(try client.pid("plain") == before)
            #expect(try systemd.stop() == .code(0), "\(systemd.errorsSaid())")
        }

        /// Whoever was killed otherwise was in no upgrade, also right after one.
        @Test func nexusdThatIsKilledAfterAnUpgrade_endedInNone() throws {
            let systemd = try StandInSystemd(Plan(children: [logWriter, child("plain", "serve")]))
            _ = try systemd.start().ask("wait-ready")
            #expect(try upgrade(systemd.runtime + "/control.sock")["outcome"] as? String == "done")
            systemd.hear()
            try systemd.kill()
            let client = try systemd.start()
            #expect(try client.object("version")["upgrade"] is NSNull)
            let notes = try client.object("status")["notes"] as? [String] ?? []
            #expect(notes.contains { $0.contains("an earlier nexusd was killed") }, "\(notes)")
            #expect(try systemd.stop() == .code(0))
        }
    }
}
