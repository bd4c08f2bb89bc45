import Foundation
import Testing

/// What reads the logs, where they may not be read or something else is in their place.
@Suite(.timeLimit(.minutes(2))) struct DamagedLogScenarios {
    private static let tree = """
        [child.left]
        command = ["/bin/sh", "-c", "echo left speaks; exec sleep 1000"]
        [child.right]
        command = ["/bin/sh", "-c", "echo right speaks; exec sleep 1000"]
        """

    /// A tree that has ended; its logs are on the disk.
    private func ended() throws -> Box {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        try box.wait("both lines") { _ in
            try box.ctl("logs", "left", "right").output.split(separator: "\n").count == 2
        }
        #expect(box.stop() == 0)
        return box
    }

    /// What doctor says of one thing.
    private func finding(_ subject: String, _ box: Box) throws -> [String: String]? {
        let answer = try box.ctl("doctor", "--json")
        let object = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        let all = (object?["findings"] as? [[String: Any]] ?? []).filter { $0["subject"] as? String == subject }
        return all.first?.compactMapValues { $0 as? String }
    }

    private func replaceByPipe(_ path: String) throws {
        try FileManager.default.removeItem(atPath: path)
        #expect(mkfifo(path, 0o600) == 0)
    }

    @Test func pipesInThePlaceOfLogs_areNamedAndHoldNobodyUp() throws {
        let box = try ended()
        let logs = box.state + "/logs/"
        try replaceByPipe(logs + "left/current")
        #expect(mkfifo(logs + "right/@20261126T000000.000000Z.log", 0o600) == 0)
        let shown = try box.ctl("logs", limit: .seconds(20))
        #expect(shown.status == 0 && shown.output.contains("right: right speaks"), "\(shown)")
        #expect(shown.errors.contains("missing here: \(logs)left/current, which cannot be read: it is no regular file"))
        #expect(shown.errors.contains("right/@20261126T000000.000000Z.log, which cannot be read"), "\(shown.errors)")
        // What nobody can read is not silence.
        let left = try box.ctl("logs", "left", limit: .seconds(20))
        #expect(left.errors.contains("missing here") && !left.errors.contains("not a word"), "\(left)")
        try replaceByPipe(logs + "nexusd/current")
        let events = try box.ctl("events", limit: .seconds(20))
        #expect(events.status == 1 && events.errors.contains("nexusd/current: it is no regular file"), "\(events)")
        #expect(!events.errors.contains("no event is in the logs"))
    }

    @Test func bookThatIsDamagedInPart_showsTheRest_andSaysHowMuchIsMissing() throws {
        let box = try ended()
        let book = box.state + "/logs/runs"
        let file = try #require(FileHandle(forUpdatingAtPath: book))
        try file.seekToEnd()
        try file.write(contentsOf: Data([0xFF, 0x0A, 0x78, 0x20, 0x79, 0x0A]))
        try file.close()
        let history = try box.ctl("history", "--json")
        #expect(history.status == 0 && history.errors.hasPrefix("missing here: 2 lines of \(book)"), "\(history)")
        let object = try JSONSerialization.jsonObject(with: Data(history.output.utf8)) as? [String: Any]
        #expect((object?["ends"] as? [Any])?.isEmpty == false)
        let unreadable = (object?["unreadable"] as? [[String: Any]])?.first
        #expect(unreadable?["file"] as? String == book && unreadable?["lines"] as? Int == 2, "\(history)")
        let found = try finding("book of runs", box)
        #expect(found?["level"] == "warn", "\(found ?? [:])")
        #expect(found?["words"] == "2 lines of \(book), which could not be read: damaged", "\(found ?? [:])")
        #expect(found?["remedy"]?.hasSuffix("nexusctl restart log-writer") == true, "\(found ?? [:])")
        #expect(history.errors.contains(found?["words"] ?? "?") && history.errors.contains(found?["remedy"] ?? "?"))
    }

    @Test(arguments: ["pipe", "directory", "damage"]) func bookThatCannotBeRead_isNotNoRun(_ what: String) throws {
        let box = try Box(Self.tree)
        let book = box.state + "/logs/runs"
        try box.start()
        try box.waitReady()
        try box.wait("the book") { _ in FileManager.default.fileExists(atPath: book) }
        switch what {
        case "pipe": try replaceByPipe(book)
        case "directory":
            try FileManager.default.removeItem(atPath: book)
            try FileManager.default.createDirectory(atPath: book, withIntermediateDirectories: false)
        case _: try Data(repeating: 0xFF, count: 4096).write(to: URL(fileURLWithPath: book))
        }
        for words in [[], ["--json"]] {
            let history = try box.begin(["history"] + words)
            #expect(history.waitForEnd(.seconds(20)) == 1)
            #expect(history.output.isEmpty, "\(history.output)")
        }
        let told = try box.ctl("history")
        #expect(told.errors.contains("cannot read \(book)") && !told.errors.contains("has ended yet"), "\(told)")
        let found = try finding("book of runs", box)
        #expect(found?["level"] == "bad" && found?["words"]?.hasPrefix("cannot read \(book): ") == true)
        #expect(told.errors.contains(found?["words"] ?? "?") && told.errors.contains(found?["remedy"] ?? "?"))
        // What nexusd remembers itself is shown, with a word about the rest.
        try box.ctl("restart", "left")
        let remembered = try box.ctl("history")
        #expect(remembered.status == 0 && remembered.output.contains("left"), "\(remembered)")
        // log-writer goes on in the damaged one, which then is a book again.
        if what != "damage" { #expect(remembered.errors.contains("missing here: \(book)"), "\(remembered)") }
        _ = box.stop()
    }

    @Test(.enabled(if: getuid() == 0, "needs root to become somebody else"))
    func whoMayNotReadTheLogs_isToldSo() throws {
        let box = try ended()
        chmod(box.directory, 0o755)
        for words in [["logs"], ["events"], ["events", "--json"]] {
            let answer = try run(
                "/usr/bin/setpriv",
                [
                    "--reuid=65534", "--regid=65534", "--clear-groups", Programs.path("nexusctl"), "--runtime",
                    box.runtime, "--state", box.state,
                ] + words, environment: ["PATH": "/usr/bin:/bin"])
            #expect(answer.status == 1 && answer.output.isEmpty, "\(words): \(answer)")
            #expect(answer.errors.contains("become a member of it, or root"), "\(words): \(answer.errors)")
        }
    }

    /// nexusd is whose the socket is, whoever asks; what it may read is not judged by the rights of somebody else.
    @Test(.enabled(if: getuid() == 0, "needs root to become somebody else"))
    func doctorOfAStranger_isToldNothingFalse() throws {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        chmod(box.directory, 0o755)
        for isOpen in [false, true] {
            if isOpen { chmod(box.runtime, 0o755) }
            let answer = try run(
                "/usr/bin/setpriv",
                [
                    "--reuid=65534", "--regid=65534", "--clear-groups", Programs.path("nexusctl"), "--runtime",
                    box.runtime, "--state", box.state, "doctor",
                ], environment: ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"])
            #expect(
                !answer.output.contains("chown") && !answer.output.contains("runs as uid 65534"), "\(answer.output)")
            #expect(answer.output.contains("not judged"), "\(answer.output)")
        }
        #expect(box.stop() == 0)
    }

    /// The shell is not back before both have ended.
    @Test(arguments: ["logs -f", "events -f"]) func followerOfAQuietTree_endsWithItsReader(_ words: String) throws {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        try box.wait("both lines") { _ in
            try box.ctl("logs", "left", "right").output.split(separator: "\n").count == 2
        }
        // Also where SIGPIPE is ignored, as Python leaves it to what it starts.
        for trap in ["", "trap '' PIPE; "] {
            let answer = try run(
                "/bin/sh", ["-c", "\(trap)\(Programs.path("nexusctl")) \(words) | head -n 1"],
                environment: [
                    "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state,
                    "PATH": "/usr/bin:/bin",
                ], limit: .seconds(20))
            #expect(answer.status == 0 && answer.output.split(separator: "\n").count == 1, "\(answer)")
        }
        #expect(box.stop() == 0)
    }

    @Test func nameOfTheOtherKind_isSaidToBeIt() throws {
        let box = try Box("[group.pair]\nchildren = [\"left\", \"right\"]\n" + Self.tree)
        try box.start()
        try box.waitReady()
        for command in ["history", "status", "is-ready"] {
            let child = try box.ctl(command, "group:left")
            #expect(child.status == 2 && child.errors.contains("'left' is a child, no group"), "\(command): \(child)")
            let group = try box.ctl(command, "child:pair")
            #expect(group.status == 2 && group.errors.contains("'pair' is a group, no child"), "\(command): \(group)")
        }
        let why = try box.ctl("why", "child:pair")
        #expect(why.status != 0 && why.errors.contains("'pair' is a group, no child"), "\(why)")
        for words in [["signal", "group:pair", "HUP"], ["recycle", "group:pair"]] {
            let answer = try box.begin(words)
            #expect(answer.waitForEnd(.seconds(20)) != 0)
            #expect(answer.errors.contains("'pair' is a group; this takes a child"), "\(words): \(answer.errors)")
        }
        for (word, path) in [("child:left", "child.left"), ("child:left.delay.cap", "child.left.delay.cap")] {
            let (said, meant) = (try box.ctl("explain", word), try box.ctl("explain", path))
            #expect(said.status == 0 && !said.output.isEmpty && said.output == meant.output, "\(word): \(said)")
        }
        #expect(box.stop() == 0)
    }

    @Test func smallFalsehoods_areNotTold() throws {
        let box = try Box(Self.tree)
        try box.start()
        try box.waitReady()
        // Ready is ready, however little time there was to ask.
        let wait = try box.ctl("wait", "--timeout", "0s")
        #expect(wait.status == 0 && wait.errors.isEmpty, "\(wait)")
        // Also where nobody is asked.
        let places = ["--runtime", box.runtime]
        for words in [["completions", "bash"], ["help"], ["help", "status"], ["--help"]] {
            let plain = try ask(box, words)
            for all in [places + words, words + places, ["--runtime=" + box.runtime] + words] {
                let answer = try ask(box, all)
                #expect(
                    answer.status == 0 && answer.output == plain.output && answer.errors.isEmpty, "\(all): \(answer)")
            }
        }
        for option in ["--runtime", "--state"] {
            let answer = try box.ctl(option)
            #expect(
                answer.status == 2 && answer.errors.contains("\(option) takes a directory, found nothing"), "\(answer)")
        }
        #expect(box.stop() == 0)
    }

    private func ask(_ box: Box, _ words: [String]) throws -> Finished {
        try run(Programs.path("nexusctl"), words, environment: ["PATH": "/usr/bin:/bin", "HOME": box.directory])
    }
}
