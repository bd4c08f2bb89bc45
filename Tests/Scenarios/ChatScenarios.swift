import Foundation
import Testing

/// What somebody meets who talks to the agent and has stopped, misspelt or filled something.
@Suite(.timeLimit(.minutes(5))) struct ChatScenarios {
    private func ready() throws -> Box {
        let box = try Box.defaultTree()
        try box.start()
        try box.waitReady()
        return box
    }

    private func sessions(_ box: Box) throws -> Int {
        try box.ctl("chat", "--list", "--json").output.split(separator: "\n").count
    }

    @Test func unknownWorkspace_isRefusedAndNothingIsStored() throws {
        let box = try ready()
        let answer = try box.ctl("chat", "--workspace", "hme", "hi")
        #expect(answer.status == 2)
        #expect(answer.errors.contains("no workspace 'hme'") && answer.errors.contains("did you mean 'home'?"))
        #expect(try sessions(box) == 0)
        #expect(try box.ctl("chat", "--workspace", "home", "hi").status == 0)
        // `last` names the newest session wherever a session is named.
        let last = try box.ctl("chat", "--history", "last")
        #expect(last.status == 0 && last.output.contains("> hi"), "\(last.errors)")
        #expect(try box.ctl("chat", "--session", "last", "again").status == 0)
        #expect(try sessions(box) == 1)
        #expect(box.stop() == 0)
    }

    @Test func modelAndAgent_areListedChosenAndKept() throws {
        let box = try ready()
        let listed = try box.ctl("chat", "--models")
        #expect(listed.status == 0, "\(listed.errors)")
        for word in ["nexus/echo", "nexus/meter", "capitals", "/twice", "/compact"] {
            #expect(listed.output.contains(word))
        }
        let refused = try box.ctl("chat", "--model", "nexus/meterr", "hi")
        #expect(refused.status == 2 && refused.errors.contains("did you mean 'nexus/meter'?"), "\(refused.errors)")
        let loud = try box.ctl("chat", "--model", "nexus/meter", "--agent", "capitals", "hi")
        #expect(loud.status == 0 && loud.output.hasPrefix("YOU WROTE: HI"), "\(loud.output)\(loud.errors)")
        #expect(try box.ctl("chat", "--session", "last", "again").output.hasPrefix("YOU WROTE: AGAIN"))
        let quiet = try box.ctl("chat", "--session", "last", "--agent", "echo", "/twice hi")
        #expect(quiet.output.hasPrefix("You wrote: hi hi"), "\(quiet.output)")
        #expect(box.stop() == 0)
    }

    @Test func chatBridgeStopped_isSaidAtOnceAndNothingIsStored() throws {
        let box = try ready()
        #expect(try box.ctl("stop", "chat-bridge").status == 0)
        for words in [["hello"], ["--list"], ["--history"]] {
            let answer = try box.begin(["chat"] + words).wait(.seconds(5))
            #expect(answer.status == 1)
            #expect(
                answer.errors.contains("chat-bridge is off: stopped by command; nexusctl start chat-bridge"),
                "\(answer.errors)")
        }
        #expect(try box.ctl("start", "chat-bridge").status == 0)
        #expect(try sessions(box) == 0)
        #expect(box.stop() == 0)
    }

    @Test(arguments: ["agent-worker", "opencode"])
    func agentStopped_messageIsStoredWaitsAndIsAnsweredLater(stopped: String) throws {
        let box = try ready()
        #expect(try box.ctl("stop", stopped).status == 0)
        let turn = try box.begin("chat", "patient words")
        // Two words by two ways: nexusd's about the child, chat-bridge's about the message.
        for words in ["\(stopped) is off: stopped by command; nexusctl start \(stopped)", "is stored and waits"] {
            try box.wait("'\(words)'") { _ in turn.errors.contains(words) }
        }
        #expect(!turn.errors.contains("nexusd restarts it"))
        #expect(try box.ctl("start", stopped).status == 0)
        let answer = try turn.wait()
        #expect(answer.status == 0 && answer.output.contains("patient words"), "\(answer.errors)")
        #expect(box.stop() == 0)
    }

    /// What is told whole at its end, in several frames, was printed before; a history prints it once too.
    @Test func longAnswer_isPrintedOnce() throws {
        let box = try ready()
        func words(_ text: String) -> [Int] { text.matches(of: /word-(\d+)/).compactMap { Int($0.1) } }
        let answer = try box.ctl("chat", "/long 30")
        #expect(answer.output.utf8.count > 20_000 && words(answer.output) == Array(1...30), "\(answer.errors)")
        #expect(words(try box.ctl("chat", "--history", "last").output) == Array(1...30))
        #expect(box.stop() == 0)
    }

    @Test func history_tellsEveryQuestion_andWhichWereNotAnswered() throws {
        let box = try ready()
        let asked = try box.begin("chat", "--json", "/question")
        try box.wait("the agent to ask") { _ in asked.output.contains("\"question\"") }
        try box.wait("it in the history") { _ in try box.ctl("chat", "--history").output.contains("waits for an answer")
        }
        let waits = try box.ctl("chat", "--history").output
        for words in ["asks (1 of 2): Database", "  1  SQLite", "asks (2 of 2): Colours"] {
            #expect(waits.contains(words), "\(words) in \(waits)")
        }
        #expect(!waits.contains("not answered"), "\(waits)")
        #expect(try box.ctl("chat", "--list").output.contains("waits for your answer"))
        #expect(try box.ctl("chat", "--list", "--json").output.contains("\"asking\":1"))
        // It waits over the end of chat-bridge, and not over that of the agent.
        let bridge = try #require(try box.status().pid("chat-bridge"))
        #expect(try box.ctl("signal", "chat-bridge", "KILL").status == 0)
        try box.waitReplaced("chat-bridge", bridge)
        try box.wait("it in the history again") { _ in
            try box.ctl("chat", "--history").output.contains("waits for an answer")
        }
        #expect(try box.ctl("signal", "opencode", "KILL").status == 0)
        _ = try asked.wait()
        let over = try box.ctl("chat", "--history").output
        // The turn ended first, or the agent that is back was found to wait for nothing: either is known first.
        let ends = ["[not answered: ", "[it does not wait for an answer any more]"]
        #expect(ends.contains { over.contains($0) } && !over.contains("waits for"), "\(over)")
        #expect(try !box.ctl("chat", "--list").output.contains("waits for your answer"))
        #expect(box.stop() == 0)
    }

    /// As chat-bridge and the page count it; and what is too long is said before it is sent.
    @Test func messageOfSlashes_isTakenUpToTheLimit() throws {
        let box = try ready()
        let most = String(repeating: "/", count: 60_000)
        let answer = try box.ctl("chat", "--", most)
        #expect(answer.status == 0 && answer.output.contains("(60000 bytes in all)"), "\(answer.errors)")
        let refused = try box.ctl("chat", "--", most + "/")
        #expect(refused.status == 2 && refused.errors.contains("60001 bytes, at most 60000"), "\(refused.errors)")
        #expect(try sessions(box) == 1)
        #expect(box.stop() == 0)
    }

    @Test(arguments: [2000, 59_000]) func longMessage_isAnswered(bytes: Int) throws {
        let box = try ready()
        let text = (0..<bytes / 10).map { String(format: "word%05d ", $0) }.joined()
        let answer = try box.ctl("chat", text)
        #expect(answer.status == 0, "\(answer.errors)")
        // echo-agent repeats the first 4 KiB.
        #expect(answer.output.contains(bytes > 4096 ? "(\(bytes) bytes in all)" : String(text.dropLast())))
        #expect(try box.ctl("chat", "--history").output.contains(text.dropLast()))
        #expect(box.stop() == 0)
    }

    @Test func longAnswersAtOnce_comeWholeAndApart() throws {
        let box = try ready()
        // Above 64 KiB each: more than a frame, and more than the credit of a stream.
        let turns = try [70, 130].map { (words: $0, turn: try box.begin("chat", "/long \($0)")) }
        for (words, turn) in turns {
            let answer = try turn.wait()
            #expect(answer.status == 0, "\(answer.errors)")
            let expected = (1...words).map { "word-\($0)-" + String(repeating: "x", count: 1000) + " " }.joined()
            #expect(answer.output.hasPrefix(expected + "\n\nI am the built-in echo agent"))
        }
        #expect(try sessions(box) == 2)
        #expect(box.stop() == 0)
    }

    /// The same tree, file and words when the installed opencode is of the second line.
    @Test func secondLine_chatsThroughTheWholeChainAndOutlivesItsDeath() throws {
        let box = try Box.defaultTree(line: "v2")
        try box.start()
        try box.waitReady()
        let first = try box.ctl("chat", "/reasoning /tool grüße")
        #expect(first.status == 0 && first.output.contains("You wrote: /reasoning /tool grüße"), "\(first.errors)")
        let turn = try box.begin("chat", "--session", "last", "/slow 1000")
        try box.wait("words of the answer") { _ in turn.output.contains("word-3 ") }
        #expect(try box.ctl("signal", "opencode", "KILL").status == 0)
        let answer = try turn.wait()
        #expect(answer.status == 1 && answer.output.contains("word-1 word-2 word-3 "), "\(answer.output)")
        #expect(answer.errors.contains("What it had written so far is kept"), "\(answer.errors)")
        #expect(try box.ctl("chat", "--session", "last", "still there?").output.contains("You wrote: still there?"))
        try box.wait("the agent's line of words") {
            $0.child("agent-worker")?.status?.contains("connected to echo-agent 2.") == true
        }
        #expect(try box.ctl("chat", "--history", "last").output.contains("word-3 "))
        #expect(box.stop() == 0)
    }

    /// A stranger on opencode's port while that is down, of its own user and, where this test may start one, of another.
    @Test(arguments: geteuid() == 0 ? [nil, 65534] : [nil])
    func strangerOnOpencodesPort_messageWaitsAndIsAnsweredLater(uid: UInt32?) throws {
        let port = try freePort()
        let box = try Box.defaultTree {
            $0.replacingOccurrences(of: #""--port", "0", "--state""#, with: #""--port", "\#(port)", "--state""#)
        }
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("stop", "opencode").status == 0)
        let server = ["/usr/bin/python3", "-u", "-m", "http.server", "\(port)", "--bind", "127.0.0.1"]
        let user = uid.map { ["/usr/bin/setpriv", "--reuid", "\($0)", "--clear-groups", "--"] } ?? []
        let command = user + server
        let stranger = try Running(command[0], Array(command.dropFirst()))
        try box.wait("the stranger to listen") { _ in stranger.output.contains("Serving HTTP") }
        #expect(try box.ctl("start", "opencode", "--no-wait").status == 0)
        let words = uid == nil ? "is no opencode server" : "foreign listener"
        try box.wait("agent-worker to see it") { $0.child("agent-worker")?.status?.contains(words) == true }
        let turn = try box.begin("chat", "patient words")
        try box.wait("the reason to wait") { _ in turn.errors.contains(words) }
        kill(stranger.pid, SIGKILL)
        #expect(stranger.waitForEnd(.seconds(5)) == -SIGKILL)
        #expect(try box.ctl("start", "opencode").status == 0)
        let answer = try turn.wait()
        #expect(answer.status == 0 && answer.output.hasPrefix("You wrote: patient words"), "\(answer.errors)")
        #expect(box.stop() == 0)
    }

    /// The agent goes on with it, and the next ones of those in between tell what it says: once, and nothing is stopped.
    @Test(arguments: ["v1", "v2"], ["agent-worker", "chat-bridge"])
    func killedUnderATurn_itGoesOn(line: String, victim: String) throws {
        let box = try Box.defaultTree(line: line)
        try box.start()
        try box.waitReady()
        let slow = try box.begin("chat", "--json", "/slow 40")
        try box.wait("words of the answer") { _ in slow.output.contains("word-3 ") }
        #expect(try kill(#require(box.status().pid(victim)), SIGKILL) == 0)
        let ended = try slow.wait()
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        let history = try box.ctl("chat", "--history", "last").output
        #expect(history.matches(of: /word-(\d+)/).compactMap { Int($0.1) } == Array(1...40), "\(history)")
        let book = try String(contentsOfFile: box.state + "/echo-agent/sessions.jsonl", encoding: .utf8)
        #expect(!book.contains("MessageAbortedError"))
        let next = try box.ctl("chat", "--session", "last", "the next one")
        #expect(next.status == 0 && next.output.hasPrefix("You wrote: the next one"), "\(next.output)\(next.errors)")
        #expect(box.stop() == 0)
    }

    /// The connection ends with the old program; the answer comes by another one, whole and once.
    @Test(arguments: [[], ["--json"]]) func upgradeUnderATurn_answerIsWholeAndOnce(options: [String]) throws {
        let box = try ready()
        let slow = try box.begin(["chat"] + options + ["/slow 40"])
        try box.wait("words of the answer") { _ in slow.output.contains("word-3 ") }
        for _ in 0..<2 { #expect(try box.ctl("upgrade").status == 0) }
        let ended = try slow.wait()
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        #expect(ended.errors.contains("goes on as another program; asking again"), "\(ended.errors)")
        if options.isEmpty {
            let words = ended.output.matches(of: /word-(\d+)/).compactMap { Int($0.1) }
            #expect(words == Array(1...40), "\(ended.output)")
        } else {
            let lines = ended.output.split(separator: "\n")
            for type in ["accepted", "ended"] {
                #expect(lines.count { $0.contains("\"type\":\"\(type)\"") } == 1, "\(ended.output)")
            }
            #expect(ended.output.contains("word-40 "), "\(ended.output)")
        }
        #expect(try sessions(box) == 1)
        #expect(box.stop() == 0)
    }

    @Test func nexusdKilledUnderATurn_isSaidWithinSeconds() throws {
        let box = try ready()
        let slow = try box.begin("chat", "/slow 400")
        try box.wait("words of the answer") { _ in slow.output.contains("word-3 ") }
        box.signal(SIGKILL)
        #expect(box.waitForEnd() == -SIGKILL)
        let ended = try slow.wait(.seconds(15))
        #expect(ended.status == 1 && ended.errors.contains("asking again"), "\(ended.errors)")
        #expect(ended.errors.contains("cut off while the agent was answering"), "\(ended.errors)")
        #expect(ended.errors.contains("nexusctl chat --history"), "\(ended.errors)")
        // What it left is the next one's to end.
        try box.start()
        #expect(box.stop() == 0)
    }

    /// A turn may go on to its end while agent-worker drains, and not for longer than its stop timeout.
    @Test func turnLongerThanTheStopTimeout_isInterruptedWithWhatHadCome() throws {
        let box = try Box.defaultTree {
            $0.replacingOccurrences(
                of: "\n[child.agent-worker]\n", with: "\n[child.agent-worker]\nstop-timeout = \"2s\"\n")
        }
        try box.start()
        try box.waitReady()
        let turn = try box.begin("chat", "/slow 10000")
        try box.wait("words of the answer") { _ in turn.output.contains("word-3 ") }
        let began = ContinuousClock.now
        #expect(try box.ctl("stop", "agent-worker").status == 0)
        // It was waited for, as long as the limit says.
        #expect(ContinuousClock.now - began >= .milliseconds(1900))
        // It does not come back by itself: nobody waits for it.
        let stopped = ContinuousClock.now
        let answer = try turn.wait()
        #expect(ContinuousClock.now - stopped < .seconds(4))
        #expect(answer.status == 1 && answer.errors.contains("agent-worker was stopped"), "\(answer.errors)")
        #expect(try box.ctl("chat", "--history", "last").output.contains("word-1 word-2 word-3 "))
        #expect(try box.ctl("start", "agent-worker").status == 0)
        #expect(try box.ctl("chat", "--session", "last", "on").output.hasPrefix("You wrote: on"))
        #expect(box.stop() == 0)
    }

    /// Its process lives and its port accepts, and nothing answers: that is said, a message waits, and it is replaced.
    @Test func agentThatHangs_isSaidEverywhere_andReplaced() throws {
        let box = try Box.defaultTree {
            $0.replacingOccurrences(of: "\n[child.opencode]\n", with: "\n[child.opencode]\nstop-timeout = \"1s\"\n")
        }
        try box.start()
        try box.waitReady()
        let hung = try #require(try box.status().pid("opencode"))
        let began = ContinuousClock.now
        #expect(kill(hung, SIGSTOP) == 0)
        let words = "does not answer since"
        try box.wait("agent-worker to say it") { $0.child("agent-worker")?.status?.contains(words) == true }
        let told = ContinuousClock.now - began
        try box.wait("chat-bridge to say it") { $0.child("chat-bridge")?.status?.contains(words) == true }
        let known = ContinuousClock.now - began
        let turn = try box.begin("chat", "patient words")
        try box.wait("the message to wait") { _ in turn.errors.contains(words) }
        try box.waitReplaced("opencode", hung, limit: .seconds(60))
        print(
            "agent that hangs: said after \(told), by chat-bridge after \(known), replaced \(ContinuousClock.now - began)"
        )
        let answer = try turn.wait()
        #expect(answer.status == 0 && answer.output.hasPrefix("You wrote: patient words"), "\(answer.errors)")
        #expect(box.stop() == 0)
    }

    /// What `[agent]` says is what the agent is told when nobody answers; that nobody is asked here is said once.
    @Test(arguments: [[], ["--json"]]) func requestThatNobodyAnswers_isAnsweredAsTheFileSays(options: [String]) throws {
        let box = try Box.defaultTree {
            $0.replacingOccurrences(
                of: "\n# permission-default = \"reject\"\n# answer-timeout = \"10min\"\n",
                with: "\npermission-default = \"once\"\nanswer-timeout = \"1s\"\n")
        }
        try box.start()
        try box.waitReady()
        let answer = try box.begin(["chat"] + options + ["/permission"]).wait()
        #expect(answer.status == 0 && answer.output.contains("Allowed: once."), "\(answer.output)\(answer.errors)")
        #expect(answer.output.contains("\"by\":\"default\"") != options.isEmpty, "\(answer.output)")
        #expect(answer.errors.components(separatedBy: "nothing is asked here").count == 2, "\(answer.errors)")
        #expect(box.stop() == 0)
    }

    @Test func damagedStore_isSaidByEachChat_andStaysBeside() throws {
        let box = try ready()
        #expect(try box.ctl("chat", "before").status == 0)
        #expect(box.stop() == 0)
        let store = box.state + "/chat/chat.sqlite"
        let damaged = Data("this is no database, is it?".utf8)
        // Its log would mend it.
        for companion in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: store + companion) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: store))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: damaged)
        try file.close()
        try box.start()
        try box.waitReady()
        for _ in 0..<2 {
            let answer = try box.ctl("chat", "after")
            #expect(answer.status == 0 && answer.output.contains("You wrote: after"))
            let aside = answer.errors.firstMatch(of: /was damaged and is kept as (.*\.damaged-[^ ;]+);/)
            let path = try #require(aside.map { String($0.1) }, "\(answer.errors)")
            #expect(FileManager.default.contents(atPath: path) == damaged)
        }
        let doctor = try box.ctl("doctor").output
        #expect(doctor.contains("chat-bridge began anew: the damaged store is kept as"), "\(doctor)")
        #expect(doctor.contains("nexusctl chat restore FILE"), "\(doctor)")
        #expect(box.stop() == 0)
    }

    @Test func misspeltWords_areNamedWithTheNearest() throws {
        let box = try Box("")
        let command = try box.ctl("statsu")
        #expect(command.status == 2)
        #expect(command.errors.contains("there is no command 'statsu'; did you mean 'status'?"), "\(command.errors)")
        let option = try box.ctl("status", "--jsno")
        #expect(option.status == 2)
        #expect(option.errors.contains("--json"), "\(option.errors)")
        let strange = try box.ctl("xyzzy")
        #expect(strange.status == 2 && strange.errors.contains("nexusctl --help"), "\(strange.errors)")
    }
}
