import Foundation
import Testing

@testable import NexusConfiguration

/// What is said of limits that cannot be had.
@Suite(.timeLimit(.minutes(1))) struct LimitsTests {
    private func file(_ limits: String) -> String {
        "[child.a]\ncommand = [\"/bin/true\"]\nlimits = { \(limits) }\n"
    }

    @Test func hardLimitAboveNexusdsOwn_saysWhatCanBeHad() {
        let said = FakeMachine().diagnostics(file("nofile = \"unlimited\""))
        #expect(
            said
                == "Supervisor.toml:3:21: error: 'nofile': the hard limit is above nexusd's own (4096), which uid 1000 may not"
                + " raise; 4096 is the most that can be had, unless nexusd gets more: LimitNOFILE= in its unit, or ulimit"
        )
        #expect(FakeMachine().diagnostics(file("nofile = 4096")) == "")
    }

    /// Root's neither: its child would never start.
    @Test func openFilesAboveTheKernelsBound_areRefusedForEverybody() {
        let host = FakeMachine.root.adding("/proc/sys/fs/nr_open", "1048576\n")
        let said = host.diagnostics(file("nofile = \"unlimited\""))
        #expect(
            said
                == "Supervisor.toml:3:21: error: 'nofile': the hard limit is above what this kernel gives to anybody (1048576);"
                + " write 1048576 or less, or raise the sysctl fs.nr_open")
        #expect(host.diagnostics(file("nofile = 1048576")) == "")
        #expect(host.diagnostics(file("core = \"unlimited\"")) == "")
    }

    /// The floors are where programs stop to start on this machine, and no higher: below that of `nofile` the loader finds no
    /// libraries, below the others the kernel ends what it just executed.
    @Test(arguments: [("-n 4", true), ("-n 3", false), ("-s 16", true), ("-v 127", false)])
    func floor_isWhereProgramsStopToStart(limit: String, starts: Bool) throws {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        // Nothing but input and outputs: what this process has open is not for the child.
        shell.arguments = ["-c", "exec 2>/dev/null; ulimit -S \(limit) && exec /bin/true"]
        try shell.run()
        shell.waitUntilExit()
        #expect((shell.terminationReason == .exit && shell.terminationStatus == 0) == starts)
    }

    /// It was rounded down, to 0 at last: which ends a program at once.
    @Test func timeThatTheKernelCannotCount_isRefused() {
        let seconds =
            "Supervisor.toml:3:18: error: 'cpu' must be a duration in whole seconds such as \"60s\", \"unlimited\", or"
            + " \"soft:hard\" of these"
        for text in ["5ms", "1500ms", "1s:2500ms", "999999999ns"] {
            #expect(FakeMachine().diagnostics(file("cpu = \"\(text)\"")) == seconds, "\(text)")
        }
        #expect(
            FakeMachine().diagnostics(file("rttime = \"1500ns\"")).contains(
                "'rttime' must be a duration in whole microseconds such as \"200ms\""))
        for text in ["1000ms", "500ms 500ms", "0s", "1min:unlimited"] {
            #expect(FakeMachine().diagnostics(file("cpu = \"\(text)\"")) == "", "\(text)")
        }
    }

    @Test func floors_areTold() {
        #expect(
            FakeMachine().diagnostics(file("nofile = \"3:1024\""))
                == "Supervisor.toml:3:21: error: 'nofile': a program cannot start with 3: it has 3 from nexusd, and its loader"
                + " needs one more to open its libraries; write 4 or more")
        #expect(FakeMachine().diagnostics(file("nofile = \"4:1024\", nproc = 0, data = 0, fsize = 0, core = 0")) == "")
    }
}
