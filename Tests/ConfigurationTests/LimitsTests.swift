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
}
