import Foundation
import Testing

/// `nexusctl logs` as people use it.
@Suite(.timeLimit(.minutes(2))) struct LogReadingScenarios {
    private static let tree = """
        [group.pair]
        children = ["left", "right"]
        [child.left]
        command = ["/bin/sh", "-c", "echo '<3>left is broken'; echo 'left is fine'; exec sleep 1000"]
        [child.right]
        command = ["/bin/sh", "-c", "echo RIGHT speaks >&2; exec sleep 1000"]
        [child.alone]
        command = ["FIXTURE", "lines", "5"]
        """

    private func lines(_ finished: Finished) -> [String] {
        finished.output.split(separator: "\n").map { line in
            // Without the stamp.
            line.split(separator: " ", maxSplits: 1).last.map(String.init) ?? ""
        }
    }

    /// Its own output would come back to it for ever.
    @Test func followerInTheTree_doesNotShowItsOwnLines_andSaysSoOnce() throws {
        let box = try Box(
            """
            [child.reader]
            command = ["\(Programs.path("nexusctl"))", "logs", "-f", "-n", "0", "--state", "DIR/state", "--runtime", "DIR/run"]
            [child.one]
            command = ["/bin/sh", "-c", "echo the first; exec sleep 1000"]
            enabled = false
            [child.two]
            command = ["/bin/sh", "-c", "echo the second; exec sleep 1000"]
            enabled = false
            """)
        try box.start()
        try box.waitLog("reader", "are left out: this output becomes one of them")
        for (name, words) in [("one", "one: the first"), ("two", "two: the second")] {
            try box.ctl("start", name)
            try box.waitLog("reader", words)
        }
        // What it had printed would have come back before the second.
        let said = lines(try box.ctl("logs", "reader", "-n", "1000"))
        #expect(said.count { $0.contains("are left out") } == 1, "\(said)")
        #expect(!said.contains { $0.dropFirst("reader: ".count).contains(" reader: ") }, "\(said)")
        #expect(box.stop() == 0)
    }

    /// The same where journalctl reads, which is asked for everybody but the follower's own child.
    @Test func followerOfTheJournal_asksForEverybodyButItself() throws {
        let box = try Box("[child.one]\ncommand = [\"/bin/sh\", \"-c\", \"echo one; exec sleep 1000\"]\n")
        try box.start()
        try box.waitReady()
        try box.waitLog("one", "one")
        try "#!/bin/sh\necho \"$@\"\n".write(
            toFile: box.directory + "/journalctl", atomically: true, encoding: .utf8)
        chmod(box.directory + "/journalctl", 0o755)
        /// Into a pipe, as the output of a run is.
        func follow(_ child: String, _ words: String) throws -> Finished {
            try run(
                "/bin/bash", ["-c", "set -o pipefail; '\(Programs.path("nexusctl"))' logs --journal \(words) | cat"],
                environment: [
                    "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state,
                    "PATH": box.directory + ":/usr/bin:/bin", "NEXUS_CHILD": child, "NEXUS_RUN_ID": "6743f2a1-17",
                ])
        }
        let all = try follow("one", "-f")
        #expect(all.status == 0 && all.output.contains("SYSLOG_IDENTIFIER=nexusd"), "\(all)")
        #expect(!all.output.contains("SYSLOG_IDENTIFIER=one"), "\(all)")
        // journald takes an entry of that identifier from anybody; of log-writer's user only what that one sent.
        #expect(all.output.contains(" _UID=\(geteuid())"), "\(all)")
        #expect(all.errors.contains("the lines of one are left out: this output becomes some of them"), "\(all)")
        let itself = try follow("one", "-f one")
        #expect(itself.status == 1 && itself.output.isEmpty, "\(itself)")
        #expect(itself.errors.contains("there is nothing to follow: the lines of one are left out"), "\(itself)")
        // Nothing comes back to who does not follow, looks at another run, or is somebody else.
        for (child, words) in [("one", ""), ("one", "-f --run 6743f2a1-16"), ("other", "-f")] {
            let shown = try follow(child, words)
            #expect(shown.output.contains("SYSLOG_IDENTIFIER=one") && shown.errors.isEmpty, "\(words): \(shown)")
        }
        #expect(box.stop() == 0)
    }

    @Test func choices_narrowWhatIsShown() throws {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        try box.wait("every line") { _ in
            try lines(box.ctl("logs", "pair", "alone")).count >= 8
        }
        #expect(
            Set(lines(try box.ctl("logs", "pair"))) == [
                "left: left is broken", "left: left is fine", "right: RIGHT speaks",
            ])
        #expect(lines(try box.ctl("logs", "pair", "--level", "err")) == ["left: left is broken"])
        #expect(lines(try box.ctl("logs", "pair", "--stream", "stderr")) == ["right: RIGHT speaks"])
        #expect(lines(try box.ctl("logs", "-g", "right SPEAKS", "-i")) == ["right: RIGHT speaks"])
        #expect(
            lines(try box.ctl("logs", "alone", "--grep", "line [34]$", "--regex")) == [
                "alone: line 3", "alone: line 4",
            ])
        #expect(lines(try box.ctl("logs", "alone", "-n", "1", "--since", "today")) == ["alone: line 4"])
        #expect(lines(try box.ctl("logs", "alone", "--until", "yesterday")) == [])
        let run = try box.status().child("left")?.run ?? "?"
        #expect(lines(try box.ctl("logs", "--run", run, "--stream", "stdout")).count == 2)

        let wrong = try box.ctl("logs", "piar")
        #expect(wrong.status == 2 && wrong.errors.contains("did you mean 'pair'?"), "\(wrong.errors)")
        for words in [["--since", "soon"], ["--level", "loud"], ["--grep", "(", "--regex"], ["--run", "x"]] {
            let refused = try ask(box, ["logs"] + words)
            #expect(refused.status == 2 && refused.output.isEmpty, "\(words): \(refused.errors)")
        }
        #expect(box.stop() == 0)
        // Files outlive everybody, and a child that is in no file any more.
        try box.write("")
        #expect(lines(try box.ctl("logs", "left")).count == 2)
        let group = try box.ctl("logs", "pair")
        #expect(group.status == 2 && group.errors.contains("groups are not known"), "\(group.errors)")
    }

    @Test func follower_showsEachLineOnceWhoeverSaysIt() throws {
        let box = try Box(
            """
            [log]
            size = "64KiB"
            files = 100
            [child.talker]
            command = ["FIXTURE", "lines", "4000", "200"]
            [child.late]
            command = ["FIXTURE", "lines", "50"]
            enabled = false
            """)
        try box.start()
        try box.waitReady()
        let follower = try box.begin("logs", "-f", "-n", "100000", "--stream", "stdout")
        try box.ctl("start", "late")
        try box.wait("the last lines") { _ in
            follower.output.contains("talker: line 3999\n") && follower.output.contains("late: line 49\n")
        }
        kill(follower.pid, SIGINT)
        _ = follower.waitForEnd(.seconds(10))
        let said = follower.output.split(separator: "\n").map {
            String($0.split(separator: " ", maxSplits: 1).last ?? "")
        }
        #expect(said.filter { $0.hasPrefix("talker") } == (0..<4000).map { "talker: line \($0)" })
        #expect(said.filter { $0.hasPrefix("late") } == (0..<50).map { "late: line \($0)" })
        #expect(box.stop() == 0)
    }

    private func ask(_ box: Box, _ words: [String]) throws -> Finished {
        try run(
            Programs.path("nexusctl"), words,
            environment: ["NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state])
    }
}
