import AgentModel
import Foundation
import SupervisorCore
import Testing
import Wire

/// Files through the built chat-bridge: from a client's pieces to agent-worker, over a kill.
@Suite(.timeLimit(.minutes(2)))
struct BridgeAttachmentTests {
    private func upload(_ play: Play, _ content: String) throws -> String {
        let begun = try play.answer(#"{"op":"upload","bytes":\#(content.utf8.count)}"#)
        let upload = try #require(begun.last?["upload"] as? String)
        let data = Data(content.utf8).base64EncodedString()
        let kept = try play.answer(#"{"op":"piece","upload":"\#(upload)","at":0,"data":"\#(data)"}"#)
        #expect(kept.last?["type"] as? String == "attachment" && kept.last?["mime"] as? String == "text/plain")
        return try #require(kept.last?["id"] as? String)
    }

    private func send(_ play: Play, _ id: String) -> FrameID {
        play.bridge.ask(
            #"{"op":"send","session":null,"text":"look","client_id":"\#(UUID())","#
                + #""attachments":[{"id":"\#(id)","name":"../notes.txt"}]}"#)
    }

    @Test func file_reachesTheAgent_andIsTold() throws {
        let play = try Play()
        let content = String(repeating: "words ", count: 7000)
        let id = try upload(play, content)
        let sent = send(play, id)
        try play.until("the turn and its file") { $0.agent.uploads.values.first?.isWhole == true }
        #expect(
            play.agent.turns[0].files == [
                AttachedFile(name: "notes.txt", mime: "text/plain", bytes: content.utf8.count)
            ])
        #expect(play.agent.uploads[play.agent.turns[0].id]?.bytes == Array(content.utf8))
        let told = play.client.events[sent]?.first?["attachments"] as? [[String: Any]]
        #expect(told?.first?["name"] as? String == "notes.txt" && told?.first?["id"] as? String == id)
        try play.agent.tell(play.agent.turns[0], .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("its end") { $0.client.finished.contains(sent) }
        let line = try play.answer(#"{"op":"history","session":null}"#).first
        #expect((line?["attachments"] as? [[String: Any]])?.count == 1)
    }

    @Test func fileThatIsDamagedOnTheDisk_doesNotReachTheAgent() throws {
        let play = try Play()
        let id = try upload(play, "what was meant")
        let file = play.directory + "/attachments/" + id
        #expect(FileManager.default.fileExists(atPath: file))
        try Data("other of length".utf8.prefix(14)).write(to: URL(fileURLWithPath: file))
        let sent = send(play, id)
        try play.until("its end") { $0.client.finished.contains(sent) }
        #expect(play.agent.turns.isEmpty && play.agent.uploads.isEmpty)
        let line = try play.answer(#"{"op":"history","session":null}"#).first
        #expect(line?["state"] as? String == "failed")
        #expect(
            (line?["reason"] as? String)?.contains("notes.txt is damaged on this machine's disk") == true,
            "\(line ?? [:])")
    }

    @Test func plainFileInPlaceOfTheDirectory_isSaid_andAllElseIsServed() throws {
        let play = try Play()
        let id = try upload(play, "kept")
        play.bridge.kill()
        let (place, aside) = (play.directory + "/attachments", play.directory + "/aside")
        try FileManager.default.moveItem(atPath: place, toPath: aside)
        try Data().write(to: URL(fileURLWithPath: place))
        try play.restart()
        try play.until("the word about it") {
            $0.bridge.statusLine.contains("\(place) is no directory: move it away, or put the directory back")
        }
        let refused = play.bridge.ask(#"{"op":"upload","bytes":4}"#)
        try play.until("the refusal") { $0.client.finished.contains(refused) }
        #expect(play.client.words[refused]?.contains("is no directory") == true, "\(play.client.words)")
        let (sent, _, turn) = try play.handOver("still there")
        try play.agent.tell(turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("its end") { $0.client.finished.contains(sent) }
        // Put back while it runs.
        try FileManager.default.removeItem(atPath: place)
        try FileManager.default.moveItem(atPath: aside, toPath: place)
        try play.until("the word to go") { !$0.bridge.statusLine.contains("no directory") }
        let again = send(play, id)
        try play.until("the turn and its file") { $0.agent.uploads.values.first?.isWhole == true }
        try play.agent.tell(play.agent.turns[1], .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("its end") { $0.client.finished.contains(again) }
    }

    @Test func killedBetweenUploadAndMessage_theFileIsThere() throws {
        let play = try Play()
        let id = try upload(play, "kept over a kill")
        let open = try play.answer(#"{"op":"upload","bytes":10}"#).last?["upload"] as? String
        try play.restart()
        _ = send(play, id)
        try play.until("the file at the agent") { $0.agent.uploads.values.first?.isWhole == true }
        #expect(play.agent.uploads.values.first?.bytes == Array("kept over a kill".utf8))
        // An upload in the middle begins anew, in words.
        let rest = play.bridge.ask(#"{"op":"piece","upload":"\#(open ?? "")","at":0,"data":"YQ=="}"#)
        try play.until("the refusal") { $0.client.finished.contains(rest) }
        #expect(play.client.failures[rest] == "unknown" && play.client.words[rest]?.contains("begin it anew") == true)
    }
}
