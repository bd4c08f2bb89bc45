import Chat
import Foundation
import GRDB
import TestSupport
import Testing

/// Files that somebody removes or moves under chat-bridge: nothing is taken that would be lost, and what is held can be saved.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct MovedStoreTests {
    private static func files(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasPrefix("chat.sqlite") }
    }

    @Test func removedWhileOpen_takesNothingMore_andABackupSavesWhatItHeld() async throws {
        let box = try StoreBox()
        _ = try await box.accept("kept")
        for name in try Self.files(box.directory) {
            try FileManager.default.removeItem(atPath: box.directory + "/" + name)
        }
        await #expect(throws: DatabaseError.self) { try await box.accept("lost") }
        #expect(box.store.trouble?.contains("was removed or replaced") == true)
        let backup = try await box.store.backup()
        #expect(backup.contents.turns == 1)
    }

    @Test func anotherFileInItsPlace_isNoticedToo() async throws {
        let box = try StoreBox()
        _ = try await box.accept("kept")
        let path = box.directory + "/chat.sqlite"
        try FileManager.default.moveItem(atPath: path, toPath: path + "-before")
        try FileManager.default.copyItem(atPath: path + "-before", toPath: path)
        await #expect(throws: DatabaseError.self) { try await box.accept("lost") }
        #expect(try await box.store.backup().contents.turns == 1)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + "-before", toPath: path)
        _ = try await box.accept("and on")
        #expect(box.store.trouble == nil)
    }

    @Test func logAlone_isAsMuch() async throws {
        let box = try StoreBox()
        _ = try await box.accept("kept")
        try FileManager.default.removeItem(atPath: box.directory + "/chat.sqlite-wal")
        await #expect(throws: DatabaseError.self) { try await box.accept("lost") }
    }

    @Test func bridge_saysItWithoutBeingAsked_refusesInWords_andGoesOnWhenItIsBack() throws {
        let play = try Play()
        let (id, _, turn) = try play.handOver("hello")
        let away = play.directory + "/away"
        try FileManager.default.createDirectory(atPath: away, withIntermediateDirectories: true)
        let files = try Self.files(play.directory)
        for name in files {
            try FileManager.default.moveItem(atPath: play.directory + "/" + name, toPath: away + "/" + name)
        }
        try play.until("the status line") { $0.bridge.statusLine.contains("was removed or replaced") }
        let refused = play.send("not this")
        try play.until("the refusal") { $0.client.finished.contains(refused) }
        let words = try #require(play.client.words[refused])
        #expect(words.contains("not stored") && words.contains("nexusctl chat backup"), "\(words)")
        #expect(try play.answer(#"{"op":"describe"}"#).first?["trouble"] != nil)
        // The end of what runs waits for it.
        try play.agent.tell(turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        for name in files {
            try FileManager.default.moveItem(atPath: away + "/" + name, toPath: play.directory + "/" + name)
        }
        try play.until("the end") { $0.client.finished.contains(id) && !$0.bridge.statusLine.contains("replaced") }
        _ = try play.handOver("and on")
    }
}
