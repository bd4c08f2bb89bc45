import Foundation
import Testing

/// An update beside work that goes on, and one whose command is killed.
@Suite(.timeLimit(.minutes(3)), .enabled(if: getuid() == 0, "needs root to become somebody else"))
struct UpdateInterruptionScenarios {
    private func started() throws -> UpdateBox {
        let agent = try UpdateBox()
        try agent.start()
        #expect(try agent.update("opencode", try agent.write("1.19.0")).status == 0)
        return agent
    }

    private func link(_ agent: UpdateBox) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: agent.box.state + "/programs/opencode/current")
    }

    /// A turn that is under way, seen from the agent's side.
    private func busy(_ agent: UpdateBox, words: Int) throws -> Running {
        let turn = try agent.box.begin("chat", "/slow \(words)")
        try agent.box.wait("words of the answer") { _ in turn.output.contains("word-3 ") }
        return turn
    }

    @Test func busyAgent_isWaitedFor() throws {
        let agent = try started()
        let turn = try busy(agent, words: 80)
        let answer = try agent.update("opencode", try agent.write("1.20.0"))
        #expect(answer.status == 0 && answer.output.contains("The agent is busy"), "\(answer)")
        let told = try turn.wait()
        #expect(told.status == 0 && told.output.contains("word-80"), "\(told)")
        #expect(try agent.running() == "1.20.0")
        #expect(agent.box.stop() == 0)
    }

    @Test func agentThatIsBusyTooLong_keepsItsVersion() throws {
        let agent = try started()
        let pid = try agent.box.status().pid("opencode")
        let turn = try busy(agent, words: 100)
        let answer = try agent.update("opencode", try agent.write("1.20.0"), "--timeout", "200ms")
        #expect(answer.status == 5 && answer.errors.contains("opencode 1.20.0 is not kept"), "\(answer)")
        #expect(try agent.box.status().pid("opencode") == pid && agent.running() == "1.19.0")
        #expect(agent.copies().count == 1)
        let now = try agent.update("opencode", agent.directory + "/download/opencode-1.20.0", "--now")
        #expect(now.status == 0, "\(now)")
        #expect(try agent.running() == "1.20.0")
        _ = try turn.wait()
        #expect(agent.box.stop() == 0)
    }

    /// One that has just been started is not recycled before it is stable. Until then nothing is switched.
    private func young() throws -> UpdateBox {
        let agent = try UpdateBox {
            $0.replacingOccurrences(
                of: "\nstart-timeout = \"6s\"\ndelay = { first = \"20ms\", cap = \"200ms\", stable-after = \"50ms\" }",
                with: "\nstart-timeout = \"6s\"\ndelay = { first = \"20ms\", cap = \"200ms\", stable-after = \"1min\" }"
            )
        }
        try agent.start()
        #expect(try agent.update("opencode", try agent.write("1.19.0"), "--now").status == 0)
        return agent
    }

    @Test(arguments: [SIGINT, SIGTERM]) func updateOfAYoungRunThatIsBrokenOff_touchesNothing(_ signal: Int32) throws {
        let agent = try young()
        let (pid, old) = (try agent.box.status().pid("opencode"), link(agent))
        let update = try agent.begin("opencode", try agent.write("1.20.0"))
        try agent.box.wait("the update to wait") { _ in update.output.contains("has just been started") }
        #expect(link(agent) == old)
        kill(update.pid, signal)
        let end = try update.wait(.seconds(5))
        let words = "opencode 1.20.0 was not tried: interrupted; opencode 1.19.0 holds"
        #expect(end.status == 1 && end.errors.contains(words), "\(end)")
        #expect(try agent.box.status().pid("opencode") == pid && link(agent) == old && agent.copies().count == 1)
        #expect(agent.box.stop() == 0)
    }

    /// By a stop of the child, or of the tree.
    @Test(arguments: [true, false]) func updateOfAYoungRunThatIsStopped_isRefused(alone: Bool) throws {
        let agent = try young()
        let old = link(agent)
        let update = try agent.begin("opencode", try agent.write("1.20.0", serve: "exit 1"))
        try agent.box.wait("the update to wait") { _ in update.output.contains("has just been started") }
        if alone { #expect(try agent.box.ctl("stop", "opencode").status == 0) } else { #expect(agent.box.stop() == 0) }
        let end = try update.wait()
        #expect(end.status == 1 && !end.output.contains("accepted"), "\(end)")
        #expect(link(agent) == old && agent.copies().count == 1)
        if alone { #expect(agent.box.stop() == 0) }
    }

    @Test func updateOfAYoungRun_isTriedWhenThatEnds_andNotBeyondItsTimeout() throws {
        let agent = try young()
        let (pid, old) = (try agent.box.status().pid("opencode"), link(agent))
        let path = try agent.write("1.20.0")
        let late = try agent.update("opencode", path, "--timeout", "2s")
        #expect(late.status == 5 && late.errors.contains("when it has been ready for 1min (stable-after)"), "\(late)")
        #expect(try agent.box.status().pid("opencode") == pid && link(agent) == old)
        let update = try agent.begin("opencode", path)
        try agent.box.wait("the update to wait") { _ in update.output.contains("has just been started") }
        #expect(try agent.box.ctl("signal", "opencode", "KILL").status == 0)
        let end = try update.wait()
        #expect(end.status == 0, "\(end)")
        #expect(try agent.running() == "1.20.0")
        #expect(agent.box.stop() == 0)
    }

    /// The moments at which an update waits for something, and may be killed.
    enum Moment: CaseIterable {
        /// For what the file says of its version.
        case version
        /// For the agent to be idle.
        case idle
        /// For the new one to be ready.
        case ready
        /// For the canary.
        case canary
    }

    @Test(arguments: Moment.allCases)
    func updateThatIsKilled_isEndedByTheNextCommand(_ moment: Moment) throws {
        let agent = try started()
        let old = link(agent)
        let silent = """
            exec /usr/bin/python3 -c '
            import http.server as h
            class No(h.BaseHTTPRequestHandler):
                def do_GET(self): self.send_error(500)
            s = h.HTTPServer(("127.0.0.1", 0), No)
            print("opencode server listening on http://127.0.0.1:%d" % s.server_port, flush=True)
            s.serve_forever()'
            """
        let turn = moment == .idle ? try busy(agent, words: 60) : nil
        let path: String
        switch moment {
        case .version:
            path = agent.directory + "/download/hangs"
            try "#!/bin/sh\nexec sleep 1000\n".write(toFile: path, atomically: true, encoding: .utf8)
            chmod(path, 0o755)
        case .idle: path = try agent.write("1.20.0")
        case .ready: path = try agent.write("1.20.0", serve: "exec sleep 1000")
        case .canary: path = try agent.write("1.20.0", serve: silent)
        }
        let update = try agent.begin("opencode", path, "--within", "1min")
        try agent.box.wait("the update to be in its \(moment)") { status in
            let opencode = status.child("opencode")
            switch moment {
            case .version:
                return FileManager.default.fileExists(atPath: agent.box.state + "/programs/opencode/incoming/opencode")
            case .idle: return link(agent) != old
            case .ready: return link(agent) != old && opencode?.state == "starting"
            case .canary:
                return try link(agent) != old && opencode?.state == "ready" && agent.running() == nil
            }
        }
        kill(update.pid, SIGKILL)
        _ = update.waitForEnd(.seconds(5))
        let findings = try agent.findings()
        if moment == .version {
            #expect(findings.allSatisfy { $0.hasPrefix("ok ") }, "\(findings)")
        } else {
            #expect(findings.contains { $0.hasPrefix("bad the trial of opencode 1.20.0 was cut off") }, "\(findings)")
        }
        // The next one ends what was begun, and does its own.
        if let turn { #expect(try turn.wait().status == 0) }
        let next = try agent.update("opencode", "--back")
        #expect(next.status == 0, "\(next)")
        // Nothing was on trial yet: then it is the one before that holds.
        let held = moment == .version ? "1.18.0" : "1.19.0"
        try agent.box.wait("\(held) to serve") {
            try $0.child("opencode")?.state == "ready" && agent.running() == held
        }
        #expect(moment == .version || link(agent) == old)
        #expect(try agent.findings().allSatisfy { !$0.hasPrefix("bad ") })
        #expect(!FileManager.default.fileExists(atPath: agent.box.state + "/programs/opencode/incoming"))
        #expect(try agent.box.ctl("chat", "hello").status == 0)
        #expect(agent.box.stop() == 0)
    }

    /// Of one that is never ready.
    private func trial(_ agent: UpdateBox, in place: String?) throws -> Running {
        let update = try agent.begin(
            "opencode", try agent.write("1.20.0", serve: "exec sleep 1000"), "--within", "1min")
        try agent.box.wait("the trial") { link(agent) != place && $0.child("opencode")?.state == "starting" }
        return update
    }

    /// Ctrl-C, a stop, or the end of the terminal.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func updateThatIsBrokenOff_bringsBackWhatHeld(_ signal: Int32) throws {
        let agent = try started()
        let old = link(agent)
        let update = try trial(agent, in: old)
        kill(update.pid, signal)
        let end = try update.wait()
        let words = "opencode 1.20.0 is not kept: interrupted; opencode 1.19.0 holds again"
        #expect(end.status == 1 && end.errors.contains(words), "\(end)")
        #expect(try link(agent) == old && agent.running() == "1.19.0")
        #expect(try agent.findings().allSatisfy { !$0.hasPrefix("bad ") })
        #expect(agent.box.stop() == 0)
    }

    /// As units/end-trials has it after a power cut.
    @Test func updateThatIsKilled_isOverWhenNexusdStartsAgain() throws {
        let agent = try started()
        let old = link(agent)
        let update = try trial(agent, in: old)
        kill(update.pid, SIGKILL)
        _ = update.waitForEnd(.seconds(5))
        #expect(agent.box.stop() == 0)
        let settled = try agent.box.ctl("update", "--settle")
        #expect(settled.status == 0, "\(settled)")
        #expect(settled.output == "the trial of opencode 1.20.0 was cut off; opencode 1.19.0 holds again\n")
        #expect(link(agent) == old)
        #expect(try agent.box.ctl("update", "--settle").output.isEmpty)
        try agent.box.start()
        try agent.box.wait("what held to serve") {
            try $0.child("opencode")?.state == "ready" && agent.running() == "1.19.0"
        }
        #expect(try agent.findings().allSatisfy { !$0.hasPrefix("bad ") })
        #expect(agent.box.stop() == 0)
    }

    /// As units/end-trials has it where a nexusd was to adopt, and began from nothing instead.
    @Test func updateThatIsKilled_isOverWhereNexusdHasBegunFromNothing() throws {
        let agent = try started()
        let old = link(agent)
        let update = try trial(agent, in: old)
        kill(update.pid, SIGKILL)
        _ = update.waitForEnd(.seconds(5))
        agent.box.signal(SIGKILL)
        #expect(agent.box.waitForEnd() == -SIGKILL)
        // Killed once more before it could be asked: its children may go on under the next one.
        let unserved = try agent.box.ctl("update", "--settle", "--started")
        #expect(unserved.status == 3 && unserved.errors.contains("it cannot be ended yet"), "\(unserved)")
        #expect(link(agent) != old)
        try agent.box.start()
        try agent.box.wait("what was on trial to start") { $0.child("opencode")?.state == "starting" }
        #expect(link(agent) != old)
        let settled = try agent.box.ctl("update", "--settle", "--started")
        #expect(settled.status == 0, "\(settled)")
        #expect(settled.output == "the trial of opencode 1.20.0 was cut off; opencode 1.19.0 holds again\n")
        #expect(try link(agent) == old && agent.running() == "1.19.0")
        #expect(try agent.findings().allSatisfy { !$0.hasPrefix("bad ") })
        #expect(agent.box.stop() == 0)
    }

    /// What is run then is not what a command sees that nobody answers.
    @Test func updateWhoseNexusdIsKilled_leavesItsTrialToTheNextCommand() throws {
        let agent = try started()
        let old = link(agent)
        let update = try trial(agent, in: old)
        agent.box.signal(SIGKILL)
        #expect(agent.box.waitForEnd() == -SIGKILL)
        let end = try update.wait()
        #expect(end.status == 1 && end.errors.contains("so that it is on trial still"), "\(end)")
        #expect(link(agent) != old)
        try agent.box.start()
        try agent.box.wait("what was on trial to start") { $0.child("opencode")?.state == "starting" }
        #expect(try agent.findings().contains { $0.hasPrefix("bad the trial of opencode 1.20.0 was cut off") })
        let next = try agent.update("opencode", "--back")
        #expect(next.status == 0, "\(next)")
        #expect(try link(agent) == old && agent.running() == "1.19.0")
        #expect(agent.box.stop() == 0)
    }

    /// A child that is stopped with its tree is not one that does not run, which is taken untried.
    @Test func updateWhileTheTreeStops_isRefused() throws {
        let agent = try UpdateBox {
            $0 + "\n[child.deaf]\ncommand = [\"sh\", \"-c\", \"trap '' TERM; while :; do sleep 1; done\"]\n"
        }
        try agent.start()
        #expect(try agent.update("opencode", try agent.write("1.19.0")).status == 0)
        let old = link(agent)
        agent.box.signal(SIGTERM)
        try agent.box.wait("opencode to be stopped") { $0.child("opencode")?.state == "off" }
        let refused = try agent.update("opencode", try agent.write("1.20.0"), "--now")
        #expect(refused.status == 1 && refused.errors.contains("nexusd is stopping"), "\(refused)")
        #expect(link(agent) == old && agent.copies().count == 1)
        #expect(agent.box.waitForEnd() == 0)
    }

    /// A second one beside the first.
    @Test func twoAtOnce_theSecondIsRefused_andDoctorSaysWhy() throws {
        let agent = try started()
        let old = link(agent)
        let first = try agent.begin("opencode", try agent.write("1.20.0", serve: "exec sleep 1000"))
        try agent.box.wait("the first to try") { _ in link(agent) != old }
        let second = try agent.update("opencode", try agent.write("1.21.0"))
        #expect(second.status == 1 && second.errors.contains("another `nexusctl update opencode` is under way"))
        #expect(try agent.findings() == ["ok opencode 1.20.0 is on trial now → <null>"])
        #expect(try first.wait().status == 1)
        #expect(try agent.running() == "1.19.0")
        #expect(agent.box.stop() == 0)
    }

    /// The first copy makes another plan, and a plan is the whole file.
    @Test func otherChangesOfTheFile_areNotBroughtAlong() throws {
        let agent = try UpdateBox()
        try agent.start()
        let text = try String(contentsOfFile: agent.box.config, encoding: .utf8)
        try agent.box.write(text + "\n[child.more]\ncommand = [\"sleep\", \"1000\"]\n")
        let refused = try agent.update("opencode", try agent.write("1.19.0"))
        #expect(
            refused.status == 1 && refused.errors.contains("changes that are not in force yet (more)"), "\(refused)")
        #expect(try agent.running() == "1.18.0" && agent.copies().isEmpty && link(agent) == nil)
        #expect(try agent.box.ctl("reload").status == 0)
        #expect(try agent.update("opencode", agent.directory + "/download/opencode-1.19.0").status == 0)
        #expect(agent.box.stop() == 0)
    }

    @Test func commandWithAPath_isNotOverruled() throws {
        let agent = try UpdateBox {
            $0.replacingOccurrences(of: "command = [\"opencode\",", with: "command = [\"DIR/bin/opencode\",")
        }
        try agent.start()
        let answer = try agent.update("opencode", try agent.write("1.19.0"))
        #expect(answer.status == 1 && answer.errors.contains("whatever is accepted"), "\(answer)")
        #expect(try agent.running() == "1.18.0" && link(agent) == nil)
        #expect(agent.box.stop() == 0)
    }

    /// Nothing runs that could take it: it is kept, and runs from the next start on.
    @Test func agentThatIsOff_getsItWithItsNextStart() throws {
        let agent = try started()
        #expect(try agent.box.ctl("stop", "opencode").status == 0)
        let answer = try agent.update("opencode", try agent.write("1.20.0"))
        #expect(answer.status == 0 && answer.output.contains("not tried"), "\(answer)")
        #expect(try agent.box.ctl("start", "opencode").status == 0)
        #expect(try agent.running() == "1.20.0")
        #expect(agent.box.stop() == 0)
    }

    /// The plan in force names what a search had found.
    @Test func agentThatIsOff_getsAlsoItsFirstCopyWithItsNextStart() throws {
        let agent = try UpdateBox()
        try agent.start()
        #expect(try agent.box.ctl("stop", "opencode").status == 0)
        #expect(try agent.update("opencode", try agent.write("1.19.0")).output.contains("not tried"))
        #expect(try agent.box.ctl("start", "opencode").status == 0)
        #expect(try agent.running() == "1.19.0")
        #expect(agent.box.stop() == 0)
    }
}
