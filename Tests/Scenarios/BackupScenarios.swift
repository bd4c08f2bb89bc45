import Foundation
import Testing

/// All conversations into a file and back, by the commands.
@Suite(.timeLimit(.minutes(3))) struct BackupScenarios {
    private func titles(_ box: Box) throws -> [String] {
        try box.ctl("chat", "--list", "--json").output.split(separator: "\n").compactMap {
            (try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["title"] as? String
        }
    }

    @Test func backupAndRestore_bringTheConversationsBack() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let file = box.directory + "/kept.sqlite"
        #expect(try box.ctl("chat", "the first message").status == 0)
        let backup = try box.ctl("chat", "backup", file)
        #expect(backup.status == 0 && backup.output.contains("1 session, 1 turn,"), "\(backup.errors)")
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        // Never over a file that is there.
        let again = try box.ctl("chat", "backup", file)
        #expect(again.status == 2 && again.errors.contains("is there already"), "\(again.errors)")

        #expect(try box.ctl("chat", "the second message").status == 0)
        let nothing = try box.ctl("chat", "restore", box.config)
        #expect(nothing.status == 2 && nothing.errors.contains("nothing was changed"), "\(nothing.errors)")
        #expect(try titles(box).count == 2)
        let restored = try box.ctl("chat", "restore", "--json", file)
        #expect(restored.status == 0 && restored.output.contains("before-restore-"), "\(restored.errors)")
        #expect(try titles(box) == ["the first message"])
        #expect(try box.ctl("chat", "--session", "last", "and on").status == 0)
        let status = try box.wait("chat-bridge to be ready") { $0.child("chat-bridge")?.state == "ready" }
        #expect(status.child("chat-bridge")?.lastEnd?.code == 0)
        #expect(box.stop() == 0)
    }

    /// One session, and the backup of it.
    private func backedUp() throws -> (Box, file: String) {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let file = box.directory + "/kept.sqlite"
        #expect(try box.ctl("chat", "the first message").status == 0)
        #expect(try box.ctl("chat", "backup", file).status == 0)
        return (box, file)
    }

    /// Each answer comes before chat-bridge ends, and no end of it is a failure that parks it.
    @Test func restoresInARow_areAllAnswered_andParkNothing() throws {
        let (box, file) = try backedUp()
        for round in 0..<5 {
            let restored = try box.ctl("chat", "restore", file)
            #expect(restored.status == 0 && restored.output.hasPrefix("restored: "), "\(round): \(restored.errors)")
            #expect(try titles(box) == ["the first message"], "\(round)")
        }
        let status = try box.wait("chat-bridge to be ready") { $0.child("chat-bridge")?.state == "ready" }
        #expect(status.child("chat-bridge")?.restarts == 0)
        #expect(box.stop() == 0)
    }

    /// One that is just starting takes no megabytes yet.
    @Test func restoreWhileChatBridgeStarts_waitsForIt() throws {
        let (box, file) = try backedUp()
        for round in 0..<3 {
            let pid = try #require(try box.status().pid("chat-bridge"))
            kill(pid, SIGKILL)
            let restored = try box.ctl("chat", "restore", file)
            #expect(restored.status == 0 && restored.output.hasPrefix("restored: "), "\(round): \(restored.errors)")
        }
        #expect(try titles(box) == ["the first message"])
        #expect(box.stop() == 0)
    }

    @Test func chatBridgeKilledInARestore_saysThatNothingWasChanged_andSoDoesItsNextStart() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("chat", "the first message").status == 0)
        // What it would be is not looked at before it is there.
        let file = box.directory + "/large.sqlite"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        #expect(truncate(file, 256 << 20) == 0)
        let restore = try box.begin("chat", "restore", file)
        try box.wait("the work file") { _ in
            FileManager.default.fileExists(atPath: box.state + "/chat/chat.sqlite.restore-partial")
        }
        #expect(try box.ctl("signal", "chat-bridge", "KILL").status == 0)
        let ended = try restore.wait()
        #expect(ended.status == 1 && ended.errors.contains("nothing was changed"), "\(ended.errors)")
        #expect(ended.errors.contains("once more: nexusctl chat restore"), "\(ended.errors)")
        _ = try box.waitLog("chat-bridge", "a restore was cut off before the backup was in place")
        #expect(try titles(box) == ["the first message"])
        #expect(box.stop() == 0)
    }

    /// What an agent answers, or quotes from a file that it read, is the owner's terminal's to be drawn on by nobody.
    @Test func export_actsOnNoTerminal_andIsWholeInAPipe() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let words = "a\u{1B}]0;title\u{7}b\u{9B}31mc\u{202E}d"
        let told = try box.ctl("chat", "--json", words)
        #expect(told.status == 0 && told.output.contains(#"\u009b31mc\u202ed"#), "\(told)")
        #expect(try box.ctl("chat", "export", "last").output.contains(words))
        for format in ["markdown", "json"] {
            let terminal = try Typist(
                Programs.path("nexusctl"), ["chat", "export", "last", "--format", format],
                environment: ["NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state, "HOME": "/"])
            try terminal.until("the answer") { $0.seen.contains("echo agent") && $0.seen.last?.isNewline == true }
            #expect(terminal.wait() == 0)
            let drawn = terminal.seen.unicodeScalars.filter { $0.value == 0x1B || $0.value == 7 || $0.value > 0x7E }
            #expect(
                drawn.allSatisfy { "·–—’“”…".unicodeScalars.contains($0) },
                "\(format): \(terminal.seen.debugDescription)")
        }
        #expect(box.stop() == 0)
    }

    @Test func export_printsTheSession_andQuotedWordsAreAMessage() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("chat", "backup my notes").status == 0)
        let text = try box.ctl("chat", "export", "last")
        #expect(text.status == 0 && text.output.hasPrefix("# backup my notes\n"), "\(text.errors)")
        #expect(text.output.contains("> backup my notes\n") && text.output.contains("I am the built-in echo agent"))
        let json = try box.ctl("chat", "export", "last", "--format", "json")
        #expect(try box.ctl("chat", "export", "last", "--json").output == json.output)
        let whole = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect((whole?["turns"] as? [Any])?.count == 1)
        #expect(try box.ctl("chat", "export", "nosuch").status == 2)
        for (wrong, usage) in [
            (try box.ctl("chat", "export"), "nexusctl chat export <session>"),
            (try box.ctl("chat", "restore"), "nexusctl chat restore <file>"),
            (try box.ctl("chat", "backup", "my", "notes"), "nexusctl chat backup [<file>]"),
        ] {
            #expect(wrong.status == 2 && wrong.errors.contains(usage), "\(wrong.errors)")
            #expect(!wrong.errors.contains("OVERVIEW") && wrong.output.isEmpty, "\(wrong.errors)")
        }
        let help = try box.ctl("chat", "export", "--help")
        #expect(help.status == 0 && help.output.contains("nexusctl chat export <session>"), "\(help.output)")
        let long = try box.ctl("chat", String(repeating: "x", count: 70_000))
        #expect(long.status == 2 && long.errors.contains("at most 60000"), "\(long.errors)")
        #expect(box.stop() == 0)
    }
}
