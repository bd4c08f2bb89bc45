import Foundation
import Testing

/// The repository's own Supervisor.toml: what a new user sees.
@Suite(.timeLimit(.minutes(5))) struct DefaultTreeScenarios {
    static let killable = ["opencode", "agent-worker", "tunnel-worker", "chat-bridge", "log-writer"]

    @Test func defaultTree_isReadyAndSaysThatTheWallIsOff() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let status = try box.status()
        for name in Self.killable { #expect(status.child(name)?.state == "ready", "\(name)") }
        #expect(status.child("cloudflared")?.state == "off")
        let table = try box.ctl("status").output
        #expect(table.split(separator: "\n").first?.contains("uid wall off") == true, "\(table)")
        #expect(box.stop() == 0)
    }

    /// Who waits until chat-bridge is ready finds its page, or why there is none; and the log keeps that.
    @Test func readyChatBridge_servesItsPage_orHasSaidWhyNot() throws {
        let (taken, port) = try LoopbackPort.bound()
        _ = fcntl(taken, F_SETFD, FD_CLOEXEC)
        listen(taken, 1)
        let box = try Box.defaultTree {
            $0.replacingOccurrences(of: "\nlisten = \"127.0.0.1:4780\"", with: "\nlisten = \"127.0.0.1:\(port)\"")
        }
        try box.start()
        try box.waitReady()
        let words = "no page: 127.0.0.1:\(port) is in use"
        #expect(try box.ctl("status").output.contains(words))
        try box.wait("the log to have it") { _ in try box.ctl("logs", "chat-bridge").output.contains(words) }
        close(taken)
        for _ in 0..<5 {
            #expect(try box.ctl("restart", "chat-bridge").status == 0)
            let status = try box.ctl("status").output
            #expect(status.contains("page at http://localhost:\(port)"), "\(status)")
        }
        #expect(box.stop() == 0)
    }

    @Test(arguments: killable)
    func killedProcess_isBackWithinASecondOthersKeepTheirPids(victim: String) throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let before = try box.status()
        var pid = before.pid(victim)!
        for _ in 0..<5 {
            let began = ContinuousClock.now
            kill(pid, SIGKILL)
            pid = try box.waitReplaced(victim, pid)
            let took = ContinuousClock.now - began
            print("\(victim): ready again after \(took)")
        }
        let after = try box.status()
        for name in Self.killable where name != victim { #expect(after.pid(name) == before.pid(name), "\(name)") }
        let answer = try box.ctl("chat", "still there?")
        #expect(answer.status == 0, "\(answer.errors)")
        #expect(box.stop() == 0)
    }

    /// opencode has it, and agent-worker, its only client; the program that strangers speak to never sees it.
    @Test func opencodesPassword_isKnownToItAndItsClientAlone() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("chat", "hello").status == 0)
        let status = try box.status()
        func environment(_ pid: Int32) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ"))
        }
        let opencode = String(decoding: try environment(#require(status.pid("opencode"))), as: UTF8.self)
        let variable = opencode.split(separator: "\0").first { $0.hasPrefix("OPENCODE_SERVER_PASSWORD=") }
        let password = try #require(variable?.split(separator: "=", maxSplits: 1).last)
        #expect(password.count >= 16)
        for name in Self.killable where name != "opencode" {
            let pid = try #require(status.pid(name))
            #expect(try environment(pid).range(of: Data(password.utf8)) == nil, "\(name)")
            let words = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline"))
            #expect(words.range(of: Data(password.utf8)) == nil, "\(name)")
        }
        for directory in [box.state, box.runtime] {
            let files = FileManager.default.enumerator(atPath: directory)
            while let file = files?.nextObject() as? String {
                guard let content = FileManager.default.contents(atPath: directory + "/" + file),
                    content.range(of: Data(password.utf8)) != nil
                else { continue }
                #expect(file.contains("agent-worker") && file.hasSuffix("opencode-password"), "\(directory)/\(file)")
            }
        }
        #expect(box.stop() == 0)
    }

    /// What cloudflared comes by: nobody else may connect, and a restart of chat-bridge refuses nobody.
    @Test func tunnelsSocket_isItsUsersAlone_andKeptWhileChatBridgeRestarts() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let path = box.runtime + "/chat.sock"
        let file = try FileManager.default.attributesOfItem(atPath: path)
        #expect(file[.type] as? FileAttributeType == .typeSocket && file[.posixPermissions] as? Int == 0o600)
        #expect(file[.ownerAccountID] as? UInt32 == getuid())
        let request =
            "GET / HTTP/1.1\r\nHost: chat.example.invalid\r\nCF-Connecting-IP: 203.0.113.1\r\nConnection: close\r\n\r\n"
        #expect(try UnixConnection(path).ask(request).hasPrefix("HTTP/1.1 200"))
        let pid = try #require(try box.status().pid("chat-bridge"))
        kill(pid, SIGKILL)
        // What the dying one had taken already ends with it; nobody is refused.
        var answer = try UnixConnection(path).ask(request)
        while answer.isEmpty { answer = try UnixConnection(path).ask(request) }
        #expect(answer.hasPrefix("HTTP/1.1 200"))
        #expect(try box.waitReplaced("chat-bridge", pid) != pid)
        #expect(box.stop() == 0)
    }

    /// The same with users of their own, as the package has them: cloudflared's may connect, another may not.
    @Test(.enabled(if: geteuid() == 0, "needs two other users")) func tunnelsSocket_refusesEveryOtherUser() throws {
        let box = try Box.defaultTree {
            $0.replacingOccurrences(
                of: "chat.sock\", mode = \"0600\" }", with: "chat.sock\", mode = \"0600\", user = \"games\" }")
        }
        try box.start()
        try box.waitReady()
        let path = box.runtime + "/chat.sock"
        let program = """
            import socket, sys
            way = socket.socket(socket.AF_UNIX)
            way.connect(sys.argv[1])
            way.sendall(b"GET / HTTP/1.1\\r\\nHost: chat.example.invalid\\r\\nConnection: close\\r\\n\\r\\n")
            print(way.recv(99))
            """
        func ask(as user: String) throws -> Finished {
            let words = [
                "--reuid", user, "--clear-groups", "--regid", user, "--", "/usr/bin/python3", "-c", program, path,
            ]
            return try run("/usr/bin/setpriv", words)
        }
        let owner = try ask(as: "games")
        #expect(owner.output.contains("HTTP/1.1 200"), "\(owner.errors)")
        let other = try ask(as: "mail")
        #expect(other.status == 1 && other.errors.contains("PermissionError"), "\(other.output)\(other.errors)")
        #expect(box.stop() == 0)
    }

    @Test func chatAnswer_streamsAndIsHonest() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let answer = try box.ctl("chat", "hello")
        #expect(answer.status == 0, "\(answer.errors)")
        #expect(answer.output.contains("hello"))
        #expect(answer.output.lowercased().contains("echo"))
        #expect(answer.output.contains("opencode"))
        let json = try box.ctl("chat", "--json", "again")
        let kinds = try json.output.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
        #expect(kinds.first??["type"] as? String == "accepted")
        #expect(kinds.last??["type"] as? String == "ended")
        #expect(kinds.last??["state"] as? String == "done")
        // Word by word, not in one piece.
        #expect(kinds.filter { $0?["type"] as? String == "text" }.count > 3)
        #expect(box.stop() == 0)
    }

    @Test func history_survivesARestartOfEverything() throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("chat", "remember the number 4711").status == 0)
        #expect(box.stop() == 0)
        try box.start()
        try box.waitReady()
        let list = try box.ctl("chat", "--list")
        #expect(list.status == 0)
        let session = try sessions(box).first
        let history = try box.ctl("chat", "--history", try #require(session))
        #expect(history.output.contains("4711"), "\(list.output)\(history.output)\(history.errors)")
        let more = try box.ctl("chat", "--session", try #require(session), "and again")
        #expect(more.status == 0, "\(more.errors)")
        #expect(box.stop() == 0)
    }

    @Test(arguments: ["opencode", "agent-worker", "chat-bridge"])
    func killDuringATurn_endsItAsDoneOrInterruptedInWords(victim: String) throws {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        let pid = try #require(try box.status().pid(victim))
        let turn = try box.begin("chat", "--json", "/slow 60")
        try box.wait("the turn to run") { _ in
            try box.ctl("chat", "--list", "--json").output.contains("\"running\"")
        }
        kill(pid, SIGKILL)
        let answer = try turn.wait()
        try box.waitReplaced(victim, pid)
        let session = try #require(try sessions(box).first)
        try box.wait("the turn to have an end") { _ in
            let history = try box.ctl("chat", "--history", session, "--json").output
            return history.contains("\"interrupted\"") || history.contains("\"done\"")
        }
        let history = try box.ctl("chat", "--history", session)
        #expect(history.output.contains("/slow 60"), "\(answer.output)\(history.output)")
        // Of a turn that went on to its end all words are there, and no word of its end.
        #expect(history.output.contains("interrupted") || history.output.contains("word-60"), "\(history.output)")
        let next = try box.ctl("chat", "--session", session, "hello again")
        #expect(next.status == 0, "\(next.errors)")
        #expect(box.stop() == 0)
    }

    private func sessions(_ box: Box) throws -> [String] {
        try box.ctl("chat", "--list", "--json").output.split(separator: "\n").compactMap {
            (try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["session"] as? String
        }
    }
}
