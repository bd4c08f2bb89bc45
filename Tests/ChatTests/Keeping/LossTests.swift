import AgentModel
import Chat
import Foundation
import Testing

/// What was lost with a damaged store: nothing is done twice for it, and nobody comes in who could not before.
@Suite(.timeLimit(.minutes(1)))
struct LossTests {
    /// A turn that was over is waiting again in what is left; the agent has done it.
    @Test func storeThatFellBack_interruptsWhatWasNotOver_andTheAgentIsStoppedFirst() async throws {
        let box = try StoreBox()
        let log = box.directory + "/chat.sqlite-wal"
        let turn = try await box.accept("pay the bill")
        try await box.store.setAgentSession(AgentSessionID(rawValue: "ses_1"), of: turn.session)
        let kept = try Data(contentsOf: URL(fileURLWithPath: log)).count
        try await box.store.takeUp(turn.id)
        try await box.store.end(turn.id, .done, reason: nil, last: [], byTheAgent: true)
        _ = try await box.accept("and another thing")
        let copy = box.directory + "/copy"
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: box.directory + "/chat.sqlite", toPath: copy + "/chat.sqlite")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: log))
        bytes[kept + 100] ^= 1
        try bytes.write(to: URL(fileURLWithPath: copy + "/chat.sqlite-wal"))

        let fallen = try ChatStore(directory: copy)
        #expect(fallen.lostLog != nil)
        let left = try await fallen.recover(reason: "restarted")
        #expect(left.queued.isEmpty && left.interrupted.isEmpty)
        let found = try #require(try await fallen.turn(turn.id))
        #expect(found.state == .interrupted && found.reason == ChatStore.lossReason)
        #expect(try await fallen.turns(of: turn.session, limit: 10).count == 1)
        // The next start has it again until it was said, and then sees nothing of it any more.
        try fallen.close()
        for isSaid in [false, true] {
            let next = try ChatStore(directory: copy)
            #expect(try await next.turn(turn.id)?.state == .interrupted && (next.lostLog == nil) == isSaid)
            next.forgetLoss()
            try next.close()
        }
        // Nor does a store in its place.
        try Data("\nthe log is gone\n".utf8).write(to: URL(fileURLWithPath: copy + "/lost"))
        for file in ["", "-wal", "-shm"] { unlink(copy + "/chat.sqlite" + file) }
        #expect(try ChatStore(directory: copy).lostLog == nil)
        #expect(!FileManager.default.fileExists(atPath: copy + "/lost"))
    }

    private static let hash = "$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA"

    @Test func passwordOfADamagedStore_staysInForce() async throws {
        let box = try StoreBox()
        func damage() throws {
            try box.store.close()
            try Data("this is no database, is it".utf8).write(
                to: URL(fileURLWithPath: box.directory + "/chat.sqlite"))
            try box.reopen()
        }
        try await box.store.setPassword(hash: Self.hash)
        try damage()
        #expect(box.store.damage != nil && box.store.hasKeptPassword)
        #expect(try await box.store.passwordHash() == Self.hash)
        // One that was taken away does not come back.
        try await box.store.setPassword(hash: nil)
        try damage()
        #expect(try await box.store.passwordHash() == nil && !box.store.hasKeptPassword)
    }

    /// A store of a version that kept it nowhere else, and one whose file beside it was changed.
    @Test func passwordOfASoundStore_isTheOneThatCounts() async throws {
        let box = try StoreBox()
        try await box.store.setPassword(hash: Self.hash)
        let beside = box.directory + "/password"
        #expect(try String(contentsOfFile: beside, encoding: .utf8) == Self.hash)
        for wrong in ["", "something else"] {
            try Data(wrong.utf8).write(to: URL(fileURLWithPath: beside))
            try box.reopen()
            #expect(try await box.store.passwordHash() == Self.hash && !box.store.hasKeptPassword)
            #expect(try String(contentsOfFile: beside, encoding: .utf8) == Self.hash)
        }
    }
}
