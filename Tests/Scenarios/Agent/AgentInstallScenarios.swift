import Foundation
import Testing

/// `nexusctl agent install` with real users.
@Suite(.timeLimit(.minutes(2)), .enabled(if: getuid() == 0, "needs root to become somebody else"))
struct AgentInstallScenarios {
    private func started() throws -> AgentBox {
        let agent = try AgentBox()
        try agent.box.start()
        try agent.box.waitReady()
        return agent
    }

    private func facts(_ path: String) throws -> [String] {
        let answer = try run("/usr/bin/stat", ["-c", "%U %a", path])
        return [answer.output.trimmingCharacters(in: .whitespacesAndNewlines)]
    }

    @Test func program_thatTheAgentCannotReach_isInstalledAndTaken() throws {
        let agent = try started()
        #expect(try agent.box.status().child("opencode")?.executable?.hasSuffix("/echo-agent") == true)
        let answer = try agent.install(agent.download, "--restart")
        #expect(answer.status == 0, "\(answer)")
        #expect(answer.output.contains("opencode 1.18.34, root's, executable by all; before: nothing"), "\(answer)")
        #expect(try facts(agent.program) == ["root 755"])
        try agent.box.waitReady()
        let status = try #require(try agent.box.status().child("opencode"))
        #expect(status.executable == agent.program)
        // Once more: the same program is taken by a fresh run of it.
        let again = try agent.install(agent.download, "--restart", "--json")
        let object = try agent.object(again)
        #expect(again.status == 0 && object["before"] as? String == "opencode 1.18.34", "\(again)")
        #expect(object["taken"] as? Bool == true && object["runs_instead"] is NSNull, "\(again)")
        #expect(try agent.box.status().child("opencode")?.pid != status.pid)
        #expect(try FileManager.default.contentsOfDirectory(atPath: agent.directory + "/bin") == ["opencode"])
        #expect(agent.box.stop() == 0)
    }

    @Test func withoutRestart_itIsSaidHowItIsTaken() throws {
        let agent = try started()
        let first = try agent.install(agent.download)
        #expect(first.status == 0 && first.output.contains("nexusctl reload"), "\(first)")
        #expect(try agent.ctl(["reload"]).status == 0)
        try agent.box.waitReady()
        let second = try agent.install(agent.download)
        #expect(second.status == 0 && second.output.contains("nexusctl recycle opencode"), "\(second)")
        #expect(try agent.ctl(["stop", "opencode"]).status == 0)
        let third = try agent.install(agent.download)
        #expect(third.status == 0 && third.output.contains("nexusctl start opencode"), "\(third)")
        #expect(agent.box.stop() == 0)
    }

    /// It is waited until a young run can be recycled; its owner may be quicker.
    @Test(arguments: ["restart", "stop"]) func youngRunThatIsOverMeanwhile_isNotRecycled(_ command: String) throws {
        let agent = try AgentBox(stableAfter: "1min")
        try agent.box.start()
        try agent.box.waitReady()
        #expect(try agent.install(agent.download, "--restart").status == 0)
        let second = try Running(
            Programs.path("nexusctl"), ["agent", "install", agent.download, "--restart", "--to", agent.program],
            environment: agent.environment)
        try agent.box.wait("it to wait") { _ in second.output.contains("has just been started") }
        #expect(try agent.ctl([command, "opencode"]).status == 0)
        let end = try second.wait()
        let words =
            command == "stop"
            ? "opencode does not run: `nexusctl start opencode`." : "opencode was started anew meanwhile"
        #expect(end.status == 0 && end.output.contains(words), "\(end)")
        #expect(try agent.box.status().child("opencode")?.state == (command == "stop" ? "off" : "ready"))
        #expect(agent.box.stop() == 0)
    }

    @Test func whatIsNoAgentForThisMachine_isRefused_andTheOldOneStays() throws {
        let agent = try started()
        #expect(try agent.install(agent.download).status == 0)
        let before = try Data(contentsOf: URL(fileURLWithPath: agent.program))
        var elf = try Data(contentsOf: URL(fileURLWithPath: "/bin/true"))
        elf[18] = elf[18] == 40 ? 62 : 40
        try elf.write(to: URL(fileURLWithPath: agent.directory + "/download/arm"))
        let refusals: [(String, String)] = [
            (try agent.write("hello\n", "text"), "neither an ELF file nor a script"),
            (agent.directory + "/download/arm", "was built for another machine: arm"),
            (try agent.write("#!/bin/sh\necho broken >&2\nexit 7\n", "other1"), "ended with 7: broken"),
            (try agent.write("#!/bin/sh\necho hello\n", "other2"), "says no version"),
            (try agent.write("#!/bin/sh\necho 0.15.3\n", "other3"), "agent-worker speaks 1.x and 2.x"),
            (try agent.write("#!/no/such/interpreter\n", "other4"), "cannot be executed"),
            (
                try agent.write("#!/bin/sh\n[ $(id -u) = 54321 ] && [ -z \"$OWN$HOME\" ] && exit 9\n", "other5"),
                "ended with 9"
            ),
            (agent.directory + "/download", "is no regular file"), (agent.directory + "/gone", "No such file"),
            (agent.program, "is that file already"),
        ]
        for (path, words) in refusals {
            let answer = try agent.install(path)
            #expect(answer.status == 1 && answer.errors.contains(words) && answer.output.isEmpty, "\(path): \(answer)")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: agent.program)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: agent.directory + "/bin") == ["opencode"])
        #expect(agent.box.stop() == 0)
    }

    @Test func placeThatIsNotRootsOwn_isRefused() throws {
        let agent = try started()
        let owned = try agent.ctl(["agent", "install", agent.download, "--to", "/usr/bin/env"])
        #expect(owned.status == 1 && owned.errors.contains("belongs to the package coreutils"), "\(owned)")
        chmod(agent.directory + "/bin", 0o777)
        let open = try agent.install(agent.download)
        #expect(open.status == 1 && open.errors.contains("can be changed by others than root"), "\(open)")
        chmod(agent.directory + "/bin", 0o755)
        let unreachable = try agent.ctl(["agent", "install", agent.download, "--to", agent.download + "2"])
        #expect(
            unreachable.status == 1 && unreachable.errors.contains("must be one that 54321 can reach"), "\(unreachable)"
        )
        let elsewhere = agent.directory + "/elsewhere"
        let shadowed = try agent.ctl(["agent", "install", agent.download, "--to", elsewhere])
        #expect(shadowed.status == 0 && shadowed.output.contains("would still run"), "\(shadowed)")
        let relative = try agent.ctl(["agent", "install", agent.download, "--to", "bin/opencode"])
        #expect(relative.status == 2 && relative.errors.contains("absolute path"), "\(relative)")
        #expect(agent.box.stop() == 0)
    }

    @Test func anybodyButRoot_isToldSo() throws {
        let agent = try started()
        let answer = try run(
            "/usr/bin/setpriv",
            [
                "--reuid=40000", "--regid=40000", "--clear-groups", Programs.path("nexusctl"), "agent", "install",
                agent.program,
            ], environment: agent.environment)
        #expect(answer.status == 4 && answer.errors.contains("sudo nexusctl agent install"), "\(answer)")
        #expect(agent.box.stop() == 0)
    }
}
