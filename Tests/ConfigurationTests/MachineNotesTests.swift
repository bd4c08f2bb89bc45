import Plan
import Testing

@testable import NexusConfiguration

@Suite(.timeLimit(.minutes(1))) struct MachineNotesTests {
    private static let file = """
        [child.web]
        command = ["/bin/true"]
        memory = { max = "64MiB", high = "48MiB" }
        pids-max = 10
        cpu-weight = 50
        [child.other]
        command = ["/bin/true"]
        memory = { max = "64MiB" }
        """

    private static let mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"

    private func notes(on host: FakeMachine, _ text: String = Self.file) throws -> [String] {
        MachineNotes(try host.parse(text).plan, host: host).notes
    }

    @Test func childThatWaitsForOneThatIsOff_isNotedByCheckAlone() throws {
        let text = """
            [child.off]
            command = ["/bin/true"]
            enabled = false
            [child.web]
            command = ["/bin/true"]
            requires = ["off"]
            """
        let plan = try FakeMachine().parse(text).plan
        #expect(WaitingNotes(plan).notes == ["'web' waits until 'off', which is off, is started"])
        #expect(
            !plan.notes.contains { $0.contains("waits until") }, "of a running tree it would be wrong after a start")
    }

    @Test func withoutCgroups_everyBoundIsNamed_andWhatIsDoneInstead() throws {
        let notes = try notes(on: FakeMachine())
        #expect(
            notes == [
                "the uid wall is off: every child runs as nexusd's own user, and uid 1000 may not change that",
                "memory.max of web and 1 more will not be kept by the kernel: no cgroup v2 is mounted on this machine;"
                    + " nexusd looks every 2 s and ends a run that is above it",
                "memory.high of web will not be kept by the kernel: no cgroup v2 is mounted on this machine",
                "pids-max of web will not be kept by the kernel: no cgroup v2 is mounted on this machine",
                "cpu-weight of web will not be kept by the kernel: no cgroup v2 is mounted on this machine",
            ])
    }

    @Test func childWithoutAUser_besideOneThatHas_isNamed() throws {
        let text = """
            [child.web]
            command = ["/bin/true"]
            user = "web"
            [child.bare]
            command = ["/bin/true"]
            """
        let notes = try notes(on: FakeMachine.root, text)
        #expect(notes == ["the uid wall has gaps: bare runs as nexusd's own user, for want of a `user = …`"])
    }

    @Test func missingController_isNamed_andOnlyThat() throws {
        let host = FakeMachine().adding("/proc/self/mountinfo", Self.mount)
            .adding("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory\n")
        let notes = try notes(on: host).filter { !$0.hasPrefix("the uid wall") }
        #expect(
            notes == [
                "pids-max of web will not be kept by the kernel: cgroup v2 has no controller 'pids' on this machine"
                    + " (/sys/fs/cgroup/cgroup.controllers)"
            ])
    }

    @Test func machineThatKeepsEverything_hasNothingSaidOfIt() throws {
        let host = FakeMachine.root.adding("/proc/self/mountinfo", Self.mount)
            .adding("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n")
        let walled = try notes(on: host, Self.file + "\n[child.own]\ncommand = [\"/bin/true\"]\nuser = \"web\"")
        #expect(walled.allSatisfy { $0.hasPrefix("the uid wall has gaps: ") })
        #expect(try notes(on: host) == ["the uid wall is off: every child runs as nexusd's own user"])
    }
}
