import AgentModel
import Foundation
import GRDB
import Testing

@testable import Chat

/// Another program holds the store: nothing is told that is not stored, and nothing that was said is lost.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct LockedStoreTests {
    @Test func storeThatIsLockedAtATurnsEnd_hasItWhenItIsFree_andIsToldThenOnly() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("tell me")
        try play.agent.tell(turn, .turnStarted(), to: play.bridge)
        try play.until("its start") { $0.client.types(id).contains("started") }
        let other = try DatabaseQueue(path: play.directory + "/chat.sqlite")
        try other.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            defer { try? db.execute(sql: "ROLLBACK") }
            try play.agent.tell(turn, .textDelta(block: "b", text: "all of it"), .turnEnded(.done), to: play.bridge)
            try play.until("words about the lock") { play in
                play.client.events[id]?.contains {
                    ($0["text"] as? String)?.contains("another program holds the store") == true
                } == true
            }
            #expect(!play.client.types(id).contains("ended"))
        }
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(play.client.last(id)["state"] as? String == "done")
        #expect(try play.states(session) == ["done"])
        let history = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        #expect(history.contains { $0["text"] as? String == "all of it" })
        try play.restart()
        #expect(try play.states(session) == ["done"])
    }

    @Test func errorsOfTheStore_areSaidWithoutTheLibrarysWords() {
        let path = "/s/chat.sqlite"
        for (code, words) in [
            (ResultCode.SQLITE_BUSY, "another program holds"), (.SQLITE_READONLY, "cannot be written"),
            (.SQLITE_IOERR, "the disk of"), (.SQLITE_FULL, "no room is left"), (.SQLITE_CORRUPT, "is damaged"),
            (.SQLITE_CONSTRAINT, "SQLite's error 19"),
        ] {
            let said = StoreFailure.words(
                DatabaseError(resultCode: code, message: "raw words", sql: "SELECT secret"), path: path)
            #expect(said.contains(words) && said.contains(path), "\(said)")
            #expect(!said.contains("raw") && !said.contains("secret"))
        }
        let missing = StoreFailure.words(
            CocoaError(.fileReadNoSuchFile, userInfo: [NSFilePathErrorKey: "/a"]), path: path)
        #expect(missing == "the file /a is not there any more")
        #expect(
            !StoreFailure.words(
                DecodingError.valueNotFound(Int.self, .init(codingPath: [], debugDescription: "raw")), path: path
            ).contains("raw"))
    }

    @Test func agentThatTakesNothing_isAskedMoreAndMoreSeldom() {
        let pauses = (0...7).map { TurnRunner.pause(afterVain: $0) }
        #expect(pauses == [250, 250, 500, 1000, 2000, 4000, 5000, 5000].map { .milliseconds($0) })
        #expect(TurnRunner.pause(afterVain: .max) == .seconds(5))
    }
}
