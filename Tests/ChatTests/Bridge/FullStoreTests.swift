import Chat
import Foundation
import Glibc
import TestSupport
import Testing
import Wire

/// No room on the disk of the store: refused in words, nothing accepted is lost, and it works again when there is room.
@Suite(
    .timeLimit(.minutes(2)), .serialized,
    .enabled(if: SmallDisk.isPossible, "a full disk needs the right to mount a tmpfs"))
struct FullStoreTests {
    @Test func fullDisk_refusesInWordsKeepsTheAcceptedAndGoesOn() throws {
        let disk = try SmallDisk()
        let play = try Play(directory: disk.path + "/chat")
        play.agent.isReady = false
        let first = play.send("kept 0")
        try play.until("the first") { $0.client.types(first).contains("accepted") }
        var accepted = [first]
        try disk.fill()
        var refused: FrameID?
        // A page that was begun may still take some.
        for number in 1..<100 where refused == nil {
            let id = play.send("kept \(number)")
            try play.until("a word") { $0.client.types(id).contains("accepted") || $0.client.finished.contains(id) }
            if play.client.finished.contains(id) { refused = id } else { accepted.append(id) }
        }
        let said = play.client.words[try #require(refused)]
        #expect(said?.contains("not stored") == true && said?.contains("no room is left") == true, "\(said ?? "-")")
        try play.until("the status line") { $0.bridge.statusLine.contains("no room is left") }
        // What is stored waits, and says for what, although the agent would take it.
        play.agent.isReady = true
        try play.until("words about the room") { play in
            accepted.contains { id in
                play.client.events[id]?.contains { ($0["reason"] as? String)?.contains("no room is left") == true }
                    == true
            }
        }
        try disk.empty()
        try play.until("every accepted turn at the agent") { $0.agent.turns.count == accepted.count }
        for turn in play.agent.turns {
            try play.agent.tell(turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        }
        try play.until("their ends") { $0.client.finished.isSuperset(of: accepted) }
        try play.until("the status line without it") { !$0.bridge.statusLine.contains("no room") }
        let (_, _, next) = try play.handOver("after")
        #expect(next.text == "after")
        // Sessions of the agent that could not be noted are not left there.
        let removed = play.agent.changes.count { if case .deleteSession = $0 { true } else { false } }
        #expect(removed > 0 && play.agent.opened - removed == accepted.count + 1)
        try play.restart()
        let titles = try play.answer(#"{"op":"list"}"#).compactMap { $0["title"] as? String }
        #expect(titles.sorted() == (["after"] + (0..<accepted.count).map { "kept \($0)" }).sorted())
    }

    @Test func startOnAFullDiskWithATurnThatRan_serves_andStoresItsEndWhenThereIsRoom() throws {
        let disk = try SmallDisk()
        let play = try Play(directory: disk.path + "/chat")
        let (id, session, turn) = try play.handOver("tell me more")
        try play.agent.tell(turn, .turnStarted(), to: play.bridge)
        try play.until("its start") { $0.client.types(id).contains("started") }
        try disk.fill()
        try play.restart()
        try play.until("the status line") { $0.bridge.statusLine.contains("no room is left") }
        #expect(try play.states(session) == ["interrupted"])
        // What is refused meanwhile takes nothing away of what is still to be stored.
        let refused = play.bridge.ask(#"{"op":"send","session":null,"text":"no room","client_id":"\#(UUID())"}"#)
        try play.until("the refusal") { $0.client.finished.contains(refused) }
        #expect(play.client.words[refused]?.contains("no room is left") == true, "\(play.client.words[refused] ?? "")")
        try disk.empty()
        try play.until("the status line without it") { !$0.bridge.statusLine.contains("no room") }
        try play.until("the agent to be stopped") { Set($0.agent.aborted) == [turn.session] }
        try play.restart()
        #expect(try play.states(session) == ["interrupted"])
        _ = try play.handOver("and on", session: session)
    }

    @Test func passwordOnAFullDisk_isRefusedInWords_andLeavesNothing() async throws {
        let disk = try SmallDisk()
        let store = try ChatStore(directory: disk.path + "/chat")
        try await store.setPassword(hash: "one")
        try disk.fill()
        let error = await #expect(throws: (any Error).self) {
            try await store.setPassword(hash: String(repeating: "x", count: 128))
        }
        let words = ChatError(unforeseen: try #require(error), store: store.path).message
        #expect(words.contains("make room") || words.contains("no room is left"), "\(words)")
        #expect(!FileManager.default.fileExists(atPath: disk.path + "/chat/password-partial"))
        #expect(try await store.passwordHash() == "one")
    }

    @Test func diskThatIsFullDuringAnAnswer_endsTheTurnInWordsWhenThereIsRoom() throws {
        let disk = try SmallDisk()
        let play = try Play(directory: disk.path + "/chat")
        let (id, session, turn) = try play.handOver("tell me more")
        try play.agent.tell(turn, .turnStarted(), to: play.bridge)
        try disk.fill()
        for number in 0..<20 {
            let text = "\(number) " + String(repeating: "x", count: 1000)
            try play.agent.tell(turn, .textDelta(block: "b", text: text), to: play.bridge)
        }
        try play.until("words about the room") { play in
            play.client.events[id]?.contains { ($0["text"] as? String)?.contains("waits for room") == true } == true
        }
        try disk.empty()
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(play.client.last(id)["state"] as? String == "failed")
        #expect((play.client.last(id)["reason"] as? String)?.contains("no room is left") == true)
        let history = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        #expect(history.contains { ($0["text"] as? String)?.hasPrefix("0 xxx") == true }, "what had arrived is kept")
        #expect(try play.states(session) == ["failed"])
        _ = try play.handOver("and on", session: session)
    }

    /// A turn of which the agent has said that it has it, and a disk that fills while it is told.
    private func halfWithoutRoom(_ play: Play, _ disk: SmallDisk) throws -> (FrameID, session: String, AgentPlay.Turn) {
        play.agent.remembersTurns = true
        let (id, session, turn) = try play.handOver("tell me more")
        try play.agent.tell(turn, .turnStarted(prompt: "msg_1"), to: play.bridge)
        try play.until("its start") { $0.client.types(id).contains("started") }
        try disk.fill()
        for number in 0..<20 {
            let text = "\(number) " + String(repeating: "x", count: 1000)
            try play.agent.tell(turn, .textDelta(block: "b", text: text), to: play.bridge)
        }
        try play.until("words about the room") { play in
            play.client.events[id]?.contains { ($0["text"] as? String)?.contains("it goes on with this turn") == true }
                == true
        }
        return (id, session, turn)
    }

    /// The agent knows nothing of the disk, and goes on.
    @Test func diskThatIsFullForAWhile_answerIsWholeWhenThereIsRoom() throws {
        let disk = try SmallDisk(mebibytes: 4)
        let play = try Play(directory: disk.path + "/chat")
        let (id, session, _) = try halfWithoutRoom(play, disk)
        try disk.empty()
        try play.until("the question after it") { $0.agent.followed.count == 1 }
        // A pipe holds 64 KiB of what comes of it.
        let text = (0..<20).map { "\($0) " + String(repeating: "x", count: 1000) } + ["and the end"]
        try play.agent.tell(play.agent.followed[0].turn, .turnStarted(prompt: "msg_1"), to: play.bridge)
        for piece in text {
            try play.agent.tell(play.agent.followed[0].turn, .textDelta(block: "b", text: piece), to: play.bridge)
        }
        try play.agent.tell(play.agent.followed[0].turn, .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(play.client.text(id) == text.joined())
        #expect(try play.states(session) == ["done"])
        #expect(play.agent.turns.count == 1 && play.agent.aborted.isEmpty)
        _ = try play.handOver("and on", session: session)
    }

    @Test func turnThatGoesOnWithoutRoom_isStoppedByItsOwner() throws {
        let disk = try SmallDisk(mebibytes: 4)
        let play = try Play(directory: disk.path + "/chat")
        let (id, session, turn) = try halfWithoutRoom(play, disk)
        _ = play.bridge.ask(#"{"op":"abort","session":"\#(session)"}"#)
        try play.until("the stop at the agent") { $0.agent.aborted.contains(turn.session) }
        try disk.empty()
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(play.client.last(id)["state"] as? String == "interrupted")
        #expect((play.client.last(id)["reason"] as? String)?.contains("stopped") == true, "\(play.client.last(id))")
        #expect(play.agent.followed.isEmpty)
        _ = try play.handOver("and on", session: session)
    }
}
