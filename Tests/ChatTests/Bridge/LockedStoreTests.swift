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

    /// Nobody waits without words, also behind others that wait; a message is sent again by itself, and a moment is waited out.
    @Test func messagesWhileTheStoreIsLocked_areRefusedWithinTwoSeconds_asWhatMayBeAskedAgain() throws {
        let play = try Play()
        let (first, session, turn) = try play.handOver("before")
        try play.agent.tell(turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("its end") { $0.client.finished.contains(first) }
        let other = try DatabaseQueue(path: play.directory + "/chat.sqlite")
        let start = ContinuousClock.now
        try other.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            defer { try? db.execute(sql: "ROLLBACK") }
            let refused = (0..<8).map { _ in play.send("one of many", session: session) }
            let list = play.bridge.ask(#"{"op":"list"}"#)
            try play.until("the list") { $0.client.finished.contains(list) }
            #expect(ContinuousClock.now - start < .seconds(1))
            try play.until("words") { $0.client.finished.isSuperset(of: refused) }
            #expect(ContinuousClock.now - start < .seconds(2))
            for id in refused {
                #expect(play.client.failures[id] == "busy")
                #expect(play.client.words[id]?.contains("another program holds the store") == true)
            }
            try play.until("the status") { $0.bridge.statusLine.contains("another program holds the store") }
        }
        _ = try play.handOver("after", session: session)
    }

    /// Nobody says again what the agent said: that is tried for longer, and the status says so meanwhile.
    @Test func turnUnderALockOfAMoment_goesOn() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("tell me")
        let words = String(repeating: "x", count: 5000)
        let other = try DatabaseQueue(path: play.directory + "/chat.sqlite")
        try other.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            defer { try? db.execute(sql: "ROLLBACK") }
            try play.agent.tell(turn, .turnStarted(), .textDelta(block: "b", text: words), to: play.bridge)
            try play.until("the status") { $0.bridge.statusLine.contains("another program holds the store") }
        }
        try play.agent.tell(turn, .textDelta(block: "b", text: " and more"), .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(try play.states(session) == ["done"] && play.client.text(id) == words + " and more")
    }

    @Test func startWhileTheStoreIsLocked_serves_andWritesWhatWasInterruptedBeforeAnythingGoesOn() throws {
        let play = try Play()
        let (id, session, turn) = try play.handOver("tell me")
        try play.agent.tell(turn, .turnStarted(), .textDelta(block: "b", text: "some of it"), to: play.bridge)
        try play.until("its start") { $0.client.types(id).contains("started") }
        let next = play.send("and this", session: session)
        try play.until("the next one") { $0.client.types(next).contains("accepted") }
        let other = try DatabaseQueue(path: play.directory + "/chat.sqlite")
        try other.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            defer { try? db.execute(sql: "ROLLBACK") }
            try play.restart()
            try play.until("words about the lock") { $0.bridge.statusLine.contains("another program holds the store") }
            #expect(try play.states(session) == ["interrupted", "queued"])
            #expect(try play.answer(#"{"op":"list"}"#).map { $0["state"] as? String } == ["queued"])
            #expect(play.agent.turns.isEmpty)
        }
        try play.until("the message that waited") { $0.agent.turns.count == 1 }
        #expect(play.agent.turns.map(\.text) == ["and this"] && Set(play.agent.aborted) == [turn.session])
        #expect(try play.states(session) == ["interrupted", "running"])
        let told = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        #expect((told.first?["reason"] as? String)?.contains("chat-bridge restarted") == true)
        try play.until("the status line without it") { !$0.bridge.statusLine.contains("another program") }
        try other.read { db in
            let states = try String.fetchAll(db, sql: "SELECT state FROM turn ORDER BY id")
            #expect(states == ["interrupted", "running"])
            #expect(try String.fetchAll(db, sql: "SELECT kind FROM event WHERE turn = 1").last == "ended")
        }
    }

    /// Not even to be read.
    @Test func startWhileAnotherProgramKeepsTheStoreToItself_waitsInWords_andServesThen() throws {
        let play = try Play()
        let (_, session, _) = try play.handOver("tell me")
        play.bridge.kill()
        var other: DatabaseQueue? = try DatabaseQueue(path: play.directory + "/chat.sqlite")
        try other?.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; UPDATE turn SET text = text")
        }
        try play.restart()
        #expect(play.bridge.statusLine.contains("another program holds the store"), "\(play.bridge.statusLine)")
        let refused = play.bridge.ask(#"{"op":"list"}"#)
        try play.until("words") { $0.client.words[refused]?.contains("tried again every 5 s") == true }
        try other?.close()
        other = nil
        try play.until("the chat") { $0.bridge.statusLine.contains("the agent takes turns") }
        #expect(try play.states(session) == ["interrupted"])
    }

    /// With what it shows in place of what is stored, nothing else may be refused or taken than afterwards.
    @Test func whatIsStillToBeWritten_isReadAsItWillBe() async throws {
        let box = try StoreBox()
        let running = try await box.accept("it's under way")
        try await box.store.takeUp(running.id)
        try box.reopen()
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: box.store.path, configuration: configuration)
        let later = AsyncStream<Int>.makeStream()
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let left = try await box.store.recover(reason: "it's over") { later.continuation.yield($0.count) }
        #expect(left.interrupted.map(\.id) == [running.id] && !left.isWritten && box.store.trouble != nil)
        let turn = try await box.store.turn(running.id)
        #expect(turn?.state == .interrupted && turn?.reason == "it's over")
        #expect(try await box.store.sessions().map(\.state) == [.interrupted])
        #expect(try await box.store.isIdle(running.session))
        #expect(try await box.store.boundary(at: nil, in: running.session).last == running.id)
        #expect(try await box.store.atWork().map(\.session) == [running.session])
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        // What is refused for itself takes nothing with it.
        await #expect(throws: ChatError.self) { try await box.store.rename(SessionID(rawValue: "none"), to: "x") }
        #expect(try await other.read { try String.fetchOne($0, sql: "SELECT state FROM turn") } == "running")
        try await box.store.delete(running.session)
        #expect(box.store.trouble == nil)
        for await count in later.stream {
            #expect(count == 1)
            break
        }
        #expect(try await box.store.sessions().isEmpty)
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
