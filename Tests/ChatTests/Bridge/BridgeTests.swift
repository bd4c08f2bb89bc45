import AgentModel
import Foundation
import Testing
import Wire

/// The real chat-bridge over real pipes.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct BridgeTests {
    @Test func message_isStoredHandedOverAndAnswered() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("hello")
        #expect(turn.text == "hello")
        try play.agent.tell(
            turn, .turnStarted(), .textDelta(block: "b", text: "hel"), .textDelta(block: "b", text: "lo"),
            .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(id) }
        // Who reads on only when it is over gets the words as one.
        #expect(play.client.types(id).filter { $0 != "text" } == ["accepted", "started", "ended"])
        #expect(play.client.text(id) == "hello")
        #expect(play.client.last(id)["state"] as? String == "done")
        let history = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        #expect(history.map { $0["type"] as? String } == ["turn", "text"])
        #expect(history[1]["text"] as? String == "hello")
        let list = try play.answer(#"{"op":"list"}"#)
        #expect(list.map { $0["session"] as? String } == [session])
        #expect(list[0]["state"] as? String == "done")
    }

    @Test func secondMessage_goesToTheSameSessionOfTheAgentAfterTheFirst() throws {
        let play = try Play()
        let (first, session, turn) = try play.handOver("one")
        let second = play.send("two", session: session)
        try play.until("the second to wait") { $0.client.types(second).contains("waiting") }
        #expect(play.agent.turns.count == 1)
        try play.agent.tell(turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("both") { $0.client.finished.contains(first) && $0.agent.turns.count == 2 }
        #expect(play.agent.turns[1].session == turn.session)
        #expect(play.agent.opened == 1)
    }

    @Test func sameClientIDTwice_isOneTurn() throws {
        let play = try Play()
        let first = play.send("hello", id: "same")
        let second = play.send("hello", id: "same")
        try play.until("the turn") { $0.agent.turns.count == 1 && $0.client.types(second).contains("accepted") }
        try play.agent.tell(
            play.agent.turns[0], .turnStarted(), .textDelta(block: "b", text: "x"), .turnEnded(.done), to: play.bridge)
        try play.until("both answers") { $0.client.finished.isSuperset(of: [first, second]) }
        let third = play.send("hello", id: "same")
        try play.until("the third answer") { $0.client.finished.contains(third) }
        for id in [first, second, third] {
            #expect(play.client.text(id) == "x")
            #expect(play.client.last(id)["state"] as? String == "done")
        }
        #expect(play.agent.turns.count == 1)
    }

    /// Its program ended: nobody sends anything, and nobody says so by himself.
    @Test func agentThatTakesTurnsNoLonger_isSaidWithoutAMessage() throws {
        let play = try Play()
        try play.until("an agent") { $0.bridge.statusLine.contains("the agent takes turns") }
        play.agent.isReady = false
        try play.until("an agent that is not ready") { $0.bridge.statusLine.contains("learning its part") }
        #expect(try play.answer(#"{"op":"describe"}"#).first?["ready"] as? Bool == false)
        play.agent.isReady = true
        try play.until("an agent again") { $0.bridge.statusLine.contains("the agent takes turns") }
    }

    @Test func agentNotReady_turnWaitsInWordsAndGoesWhenItIs() throws {
        let play = try Play()
        play.agent.isReady = false
        let id = play.send("hello")
        try play.until("words") { play in
            play.client.events[id]?.contains { ($0["reason"] as? String)?.contains("learning its part") == true }
                == true
        }
        #expect(play.agent.turns.isEmpty)
        play.agent.isReady = true
        try play.until("the turn") { $0.agent.turns.count == 1 }
    }

    /// What cannot be read is said in words, with the remedy, and not as a decoder has it.
    @Test func agentWorkerOfAnotherVersion_isSaidInWords() throws {
        let play = try Play()
        play.agent.isStrange = true
        let id = play.send("hello")
        func reason(_ play: Play) -> String? { play.client.events[id]?.compactMap { $0["reason"] as? String }.last }
        try play.until("words") { reason($0)?.contains("is of another version than chat-bridge") == true }
        let words = try #require(reason(play))
        #expect(words.contains("nexusctl restart agent-worker chat-bridge"))
        #expect(!words.contains("Key") && !words.contains("Decoding"), "\(words)")
        play.agent.isStrange = false
        try play.until("the turn") { $0.agent.turns.count == 1 }
    }

    @Test func agentWorkerRestarts_turnIsInterruptedInWordsAndTheNextOneGoes() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("hello")
        try play.agent.tell(turn, .turnStarted(), .textDelta(block: "b", text: "half"), to: play.bridge)
        try play.until("the half") { $0.client.types(id).contains("text") }
        let queued = play.send("next", session: session)
        try play.until("the next one to wait") { $0.client.types(queued).contains("waiting") }
        play.bridge.write(play.agent.error(turn.id, .peerRestarted, "agent-worker ended"))
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(play.client.last(id)["state"] as? String == "interrupted")
        #expect((play.client.last(id)["reason"] as? String)?.contains("agent-worker went away") == true)
        try play.until("the next one") { $0.agent.turns.count == 2 }
        #expect(play.agent.turns[1].text == "next")
        // What the agent did on with the first one was stopped before.
        #expect(play.agent.aborted == [turn.session])
        try play.agent.tell(play.agent.turns[1], .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(queued) }
        // The agent's own word says that there is nothing to stop.
        _ = try play.handOver("third", session: session)
        #expect(play.agent.aborted == [turn.session])
    }

    /// Nothing is handed over to an agent that may be at work with what has ended here.
    @Test func agentThatCannotBeStopped_theNextOneWaits() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("hello")
        play.agent.isAway = true
        play.bridge.write(play.agent.error(turn.id, .peerRestarted, "agent-worker ended"))
        try play.until("the end") { $0.client.finished.contains(id) }
        let next = play.send("next", session: session)
        try play.until("the reason") { play in
            play.client.events[next]?.contains { ($0["reason"] as? String)?.contains("the agent is away") == true }
                == true
        }
        #expect(play.agent.turns.count == 1)
        play.agent.isAway = false
        try play.until("the turn") { $0.agent.turns.count == 2 }
        #expect(play.agent.aborted.last == turn.session)
    }

    @Test func requestThatWasNotDelivered_isMadeAgain() throws {
        let play = try Play()
        let (_, _, turn) = try play.handOver("hello")
        play.bridge.write(play.agent.error(turn.id, .unavailable, "nobody there"))
        try play.until("the turn again") { $0.agent.turns.count == 2 }
        #expect(play.agent.turns[1].text == "hello")
    }

    @Test func resumeBehindANumberThatNoEventHas_isRefusedInWords() throws {
        let play = try Play()
        let (_, session, turn) = try play.handOver("hello")
        try play.agent.tell(turn, .turnStarted(), to: play.bridge)
        for follow in ["true", "false"] {
            let id = play.bridge.ask(
                #"{"op":"resume","session":"\#(session)","after":1000000000,"follow":\#(follow)}"#)
            try play.until("an answer") { $0.client.finished.contains(id) }
            #expect(play.client.words[id]?.contains("has no event 1000000000 yet") == true)
        }
    }

    /// After a restart counting goes on behind what was set aside, up to 1,024 numbers further. Whoever was told some of
    /// those, and lost them, misses nothing that comes and waits for nothing that does not.
    @Test func resumeAfterARestart_fromAnyNumberThatMayHaveBeenGiven_isToldAllThatComes() throws {
        let play = try Play()
        let (first, session, turn) = try play.handOver("one")
        try play.agent.tell(turn, .turnStarted(), .textDelta(block: "b", text: "half"), to: play.bridge)
        try play.until("the half") { $0.client.text(first) == "half" }
        let seen = try #require(play.client.last(first)["seq"] as? Int)
        try play.restart()
        func resume(_ number: Int) -> FrameID {
            play.bridge.ask(#"{"op":"resume","session":"\#(session)","after":\#(number),"follow":true}"#)
        }
        let numbers = [seen, seen + 1, 500, 1023]
        let readers = numbers.map(resume)
        // That the turn is over comes behind any of them: it is read anew then, as it is stored.
        try play.until("the end of the turn") { play in
            readers.allSatisfy { play.client.last($0)["state"] as? String == "interrupted" }
        }
        let (_, _, next) = try play.handOver("two", session: session)
        try play.agent.tell(
            next, .turnStarted(), .textDelta(block: "c", text: "all of it"), .turnEnded(.done), to: play.bridge)
        try play.until("the next turn") { play in
            readers.allSatisfy { play.client.last($0)["state"] as? String == "done" }
        }
        func told(_ id: FrameID) -> [Int] { play.client.events[id]?.compactMap { $0["seq"] as? Int } ?? [] }
        let all = told(readers[0]).filter { $0 > 1024 }
        #expect(all.count >= 4 && all == all.sorted() && Set(all).count == all.count)
        for id in readers {
            #expect(told(id).filter { $0 > 1024 } == all && play.client.text(id).hasSuffix("all of it"))
        }
        // What nobody can have been told is refused, and up to where they go is said.
        let beyond = resume(try #require(all.last) + 1)
        try play.until("a refusal") { $0.client.finished.contains(beyond) }
        #expect(play.client.words[beyond]?.contains("its numbers go up to \(all.last ?? 0)") == true)
    }

    /// `busy` says that it was not delivered; `cut` that the agent may have it.
    @Test func answerThatWasCutBeforeItsFirstWord_isInterruptedAndNotMadeAgain() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("hello")
        play.bridge.write(play.agent.error(turn.id, .cut, "the receiver's queue is full: the stream was cut"))
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(play.client.last(id)["state"] as? String == "interrupted")
        #expect((play.client.last(id)["reason"] as? String)?.contains("cut off on its way") == true)
        _ = try play.handOver("next", session: session)
        #expect(play.agent.turns.map(\.text) == ["hello", "next"])
    }

    @Test func agentForgotTheSession_itBeginsAnewAndSaysSo() throws {
        let play = try Play()
        let (first, session, turn) = try play.handOver("one")
        try play.agent.tell(turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(first) }
        play.agent.known = []
        let (second, _, again) = try play.handOver("two", session: session)
        #expect(again.session != turn.session)
        try play.agent.tell(again, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(second) }
        #expect(play.client.types(second).contains("notice"))
    }

    @Test func abort_stopsTheRunningTurnAndWithdrawsTheQueued() throws {
        let play = try Play()
        let (running, session, turn) = try play.handOver("one")
        let queued = play.send("two", session: session)
        try play.until("the second to wait") { $0.client.types(queued).contains("waiting") }
        let abort = play.bridge.ask(#"{"op":"abort","session":"\#(session)"}"#)
        try play.until("the agent to be told") { !$0.agent.aborted.isEmpty }
        try play.agent.tell(turn, .turnStarted(), .turnEnded(.interrupted(reason: "aborted")), to: play.bridge)
        try play.until("all answers") { $0.client.finished.isSuperset(of: [running, queued, abort]) }
        #expect(play.client.last(abort)["turns"] as? Int == 2)
        #expect(play.client.last(running)["reason"] as? String == "stopped by the user")
        #expect((play.client.last(queued)["reason"] as? String)?.contains("withdrawn") == true)
        #expect(try play.states(session) == ["interrupted", "interrupted"])
    }

    @Test func secondClient_watchesTheSessionFromAnyPoint() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("hello")
        try play.agent.tell(
            turn, .turnStarted(), .textDelta(block: "b", text: "a"), .textDelta(block: "b", text: "b"), to: play.bridge)
        try play.until("the text") { $0.client.text(id) == "ab" }
        let seen = try #require(play.client.events[id]?.first { $0["text"] as? String == "a" }?["seq"] as? Int)
        let all = play.bridge.ask(#"{"op":"resume","session":"\#(session)"}"#)
        let rest = play.bridge.ask(#"{"op":"resume","session":"\#(session)","after":\#(seen)}"#)
        try play.until("both to be there") { $0.client.text(all) == "ab" && $0.client.text(rest) == "b" }
        try play.agent.tell(turn, .textDelta(block: "b", text: "c"), .turnEnded(.done), to: play.bridge)
        try play.until("the ends") { $0.client.finished.isSuperset(of: [id, all, rest]) }
        #expect(play.client.text(all) == "abc")
        #expect(play.client.text(rest) == "bc")
        #expect(play.client.types(all).first == "accepted")
        // Afterwards the turn is folded: who resumes in the middle is given the block whole.
        let late = try play.answer(#"{"op":"resume","session":"\#(session)","after":\#(seen)}"#)
        #expect(late.first { $0["type"] as? String == "text" }?["text"] as? String == "abc")
        #expect(late.first { $0["type"] as? String == "text" }?["whole"] as? Bool == true)
    }

    @Test func nonsense_isRefusedAndHarmsNobody() throws {
        let play = try Play()
        for bad in ["", "{", "[]", #"{"op":"dance"}"#, #"{"op":"send"}"#, #"{"op":"resume","session":7}"#] {
            let id = play.bridge.ask(bad)
            try play.until(bad) { $0.client.finished.contains(id) }
            #expect(play.client.failures[id] == "bad-request", "\(bad)")
        }
        for op in ["history", "resume", "abort"] {
            let unknown = play.bridge.ask(#"{"op":"\#(op)","session":"nosuch"}"#)
            try play.until("the refusal") { $0.client.finished.contains(unknown) }
            #expect(play.client.failures[unknown] == "unknown", "\(op)")
        }
        _ = try play.handOver("still there?")
    }

    /// Who may come in, and what all conversations are, is nobody's but who came over the control socket.
    @Test func anotherWorker_makesNoCodes_andTakesAndRestoresNoBackup() throws {
        let play = try Play()
        for request in [
            #"{"op":"pair","role":"owner"}"#, #"{"op":"devices"}"#, #"{"op":"revoke","device":"x"}"#,
            #"{"op":"password","remove":true}"#, #"{"op":"backup"}"#, #"{"op":"restore","bytes":10}"#,
        ] {
            let id = play.bridge.ask(request, from: PeerID(rawValue: 9))
            var answer = try play.bridge.next()
            while answer.header.id != id || answer.header.peer != PeerID(rawValue: 9) {
                answer = try play.bridge.next()
            }
            let words = String(decoding: answer.payload, as: UTF8.self)
            #expect(answer.header.kind == .error && words.contains("only control clients may"), "\(request): \(words)")
            #expect(words.contains(#""refused""#), "\(words)")
        }
    }

    @Test func unknownWorkspace_isRefusedInWordsAndLeavesNoSession() throws {
        let play = try Play()
        let id = play.bridge.ask(
            #"{"op":"send","session":null,"workspace":"hom","text":"hi","client_id":"c"}"#)
        try play.until("the refusal") { $0.client.finished.contains(id) }
        #expect(play.client.failures[id] == "bad-request")
        #expect(play.client.words[id]?.contains("there is: home; did you mean 'home'?") == true)
        #expect(play.client.types(id).isEmpty)
        #expect(try play.answer(#"{"op":"list"}"#).isEmpty)
    }

    @Test func drain_interruptsInWordsKeepsTheQueuedAndEnds() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("one")
        try play.agent.tell(turn, .turnStarted(), .textDelta(block: "b", text: "half"), to: play.bridge)
        try play.until("the half") { $0.client.types(id).contains("text") }
        let queued = play.send("two", session: session)
        try play.until("the second to wait") { $0.client.types(queued).contains("waiting") }
        play.bridge.write(Frame(.drain, peer: .nexusd, id: .none))
        var sawDrained = false
        while let frame = try play.bridge.nextOrEnd() {
            sawDrained = sawDrained || frame.header.kind == .drained
            if try !play.agent.take(frame, of: play.bridge) { try play.client.take(frame) }
        }
        #expect(sawDrained)
        #expect(play.bridge.wait() == 0)
        #expect(play.client.last(id)["state"] as? String == "interrupted")
        #expect(play.client.failures[queued] == "unavailable")
        try play.restart()
        #expect(try play.states(session).first == "interrupted")
        try play.until("the queued one") { $0.agent.turns.count == 1 }
        #expect(play.agent.turns[0].text == "two")
    }

    @Test func damagedStore_isSaidInTheStatusLine() throws {
        let play = try Play()
        play.bridge.kill()
        // With its write-ahead log SQLite would mend the file by itself.
        for companion in ["-wal", "-shm"] {
            try FileManager.default.removeItem(atPath: play.directory + "/chat.sqlite" + companion)
        }
        try Data("this is no database, is it?".utf8).write(to: URL(fileURLWithPath: play.directory + "/chat.sqlite"))
        try play.restart()
        try play.until("the status line") { $0.bridge.statusLine.contains("damaged") }
        _ = try play.handOver("hello")
        let about = try play.answer(#"{"op":"describe"}"#)
        #expect((about.first?["moved_aside"] as? String)?.contains("chat.sqlite.damaged-") == true)
        // The next start says it too, as long as the file is there.
        try play.restart()
        try play.until("the status line") { $0.bridge.statusLine.contains("a damaged store is kept as") }
    }

    @Test func storeThatIsMissing_itsFilesAreSaidInTheStatusLine() throws {
        let play = try Play()
        play.bridge.kill()
        let file = play.directory + "/attachments/" + String(repeating: "a", count: 64)
        try Data("kept".utf8).write(to: URL(fileURLWithPath: file))
        for companion in ["", "-wal", "-shm"] {
            try FileManager.default.removeItem(atPath: play.directory + "/chat.sqlite" + companion)
        }
        for _ in 0..<2 {
            try play.restart()
            try play.until("the status line") { $0.bridge.statusLine.contains("are of a store that is missing") }
            #expect(FileManager.default.fileExists(atPath: file))
        }
    }

    /// The page alone is away, and says why; the conversations go on.
    @Test func certificateThatIsNotThere_takesThePageAway_andNotTheChat() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/nexus-bridge-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let bridge = try BridgeProcess(
            directory: directory, listen: "127.0.0.1:0", certificate: "/nowhere/page.pem")
        while !bridge.statusLine.contains("no page") { _ = try bridge.next() }
        #expect(bridge.statusLine.contains("its certificate: /nowhere/page.pem: No such file"), "\(bridge.statusLine)")
        let id = bridge.ask(#"{"op":"describe"}"#)
        // What chat-bridge itself asks has numbers of its own.
        func reply(to id: FrameID) throws -> Frame {
            while true {
                let frame = try bridge.next()
                if frame.header.kind != .request, frame.header.id == id { return frame }
            }
        }
        var answer = try reply(to: id)
        #expect(answer.header.kind == .reply)
        answer = try reply(to: bridge.ask(#"{"op":"pair","role":"owner","here":true}"#))
        #expect(answer.header.kind == .error)
        #expect(String(decoding: answer.payload, as: UTF8.self).contains("the page is not served: its certificate"))
    }
}
