import Chat
import Foundation
import TestSupport
import Testing

/// A store that is removed while nobody has it open: the new one is no secret, and no first start is alarming.
@Suite(.timeLimit(.minutes(1)))
struct MissingStoreTests {
    private static func remove(_ directory: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name.hasPrefix("chat.sqlite") {
            try FileManager.default.removeItem(atPath: directory + "/" + name)
        }
    }

    @Test func removedOrEmptied_isSaidOnce_andNotAtTheFirstStart() async throws {
        let box = try StoreBox()
        #expect(!box.store.isMissing)
        try box.store.close()
        try box.reopen()
        #expect(!box.store.isMissing)
        // A file of one byte is an empty one to SQLite.
        for content in [nil, Data(), Data([0x53])] {
            try box.store.close()
            try Self.remove(box.directory)
            try content?.write(to: URL(fileURLWithPath: box.directory + "/chat.sqlite"))
            try box.reopen()
            #expect(box.store.isMissing && box.store.damage == nil && box.store.movedAside == nil)
            try box.store.close()
            try box.reopen()
            #expect(!box.store.isMissing)
        }
    }

    /// All that a young store has lies in its log.
    @Test(arguments: [nil, 0, 31, 32]) func logOfAYoungStoreIsCutOrRemoved_isSaid(bytes: Int?) throws {
        let box = try StoreBox()
        let killed = TemporaryDirectory()
        for name in ["chat.sqlite", "begun"] {
            try FileManager.default.copyItem(atPath: box.directory + "/" + name, toPath: killed.path + "/" + name)
        }
        let log = try Data(contentsOf: URL(fileURLWithPath: box.directory + "/chat.sqlite-wal"))
        try #require(log.count > 4096)
        if let bytes { try log.prefix(bytes).write(to: URL(fileURLWithPath: killed.path + "/chat.sqlite-wal")) }
        let store = try ChatStore(directory: killed.path)
        #expect(store.isMissing)
        try store.close()
        let again = try ChatStore(directory: killed.path)
        #expect(!again.isMissing)
        try again.close()
    }

    /// What is kept aside is not missing, also when the process ends before there is a new one.
    @Test func damaged_isNotMissing() async throws {
        let box = try StoreBox()
        try box.store.close()
        try Data("this is no database, is it".utf8).write(to: URL(fileURLWithPath: box.directory + "/chat.sqlite"))
        try box.reopen()
        #expect(box.store.damage != nil && !box.store.isMissing)
    }

    @Test func bridge_saysItInItsStatus() throws {
        let play = try Play()
        try play.until("its status line") { $0.bridge.statusLine.contains("the agent takes turns") }
        #expect(!play.bridge.statusLine.contains("gone"))
        play.bridge.kill()
        try Self.remove(play.directory)
        try play.restart()
        try play.until("the word") {
            $0.bridge.statusLine.contains(
                "began anew: \($0.directory)/chat.sqlite is gone, and devices are to be paired again")
        }
        try play.restart()
        try play.until("its status line") { $0.bridge.statusLine.contains("the agent takes turns") }
        #expect(!play.bridge.statusLine.contains("gone"))
    }
}
