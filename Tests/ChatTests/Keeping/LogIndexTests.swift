import Chance
import Foundation
import Testing

@testable import Chat

/// Beside the log of a process that was killed lies SQLite's index of it, which tells what was acknowledged.
@Suite(.timeLimit(.minutes(1)))
struct LogIndexTests {
    private static let frame = 24 + 4096
    private static let written = 6

    private struct Killed {
        let box: FilledStore
        let log: [UInt8]
        let index: [UInt8]

        init() async throws {
            let filled = try await FilledStore()
            let living = try filled.open()
            for number in 0..<LogIndexTests.written { try await FilledStore.use(living, 1000 + number) }
            box = try filled.copy()
            log = try filled.bytes(filled.path + "-wal")
            index = try filled.bytes(filled.path + "-shm")
        }

        func open(log: [UInt8]?, index: [UInt8]) throws -> ChatStore {
            try lay(log: log, index: index)
            return try box.open()
        }

        func lay(log: [UInt8]?, index: [UInt8]) throws {
            try box.change { _ in }
            if let log { try Data(log).write(to: URL(fileURLWithPath: box.path + "-wal")) }
            try Data(index).write(to: URL(fileURLWithPath: box.path + "-shm"))
        }
    }

    @Test func soundLog_isReadWhole() async throws {
        let killed = try await Killed()
        let store = try killed.open(log: killed.log, index: killed.index)
        #expect(store.lostLog == nil && store.movedAside == nil)
        #expect(try await store.sessions().count == FilledStore.sessions + Self.written)
        let index = try #require(LogIndex(killed.box.path + "-shm"))
        #expect(index.frames > index.movedFrames)
    }

    /// Nothing in the log itself tells of these.
    @Test func endOfTheLogIsDamagedOrCut_itIsSaid() async throws {
        let killed = try await Killed()
        let count = killed.log.count
        for frames in [1, 2, 20] {
            let byte = count - frames * Self.frame
            let zeros = killed.log.prefix(byte) + [UInt8](repeating: 0, count: count - byte)
            for log in [Array(zeros), Array(killed.log.prefix(byte)), Array(killed.log.prefix(byte + 100))] {
                let store = try killed.open(log: log, index: killed.index)
                let words = try #require(store.lostLog, "\(frames) frames, \(log.count) bytes")
                #expect(words.contains("from byte \(byte) of \(log.count)"), "\(words)")
                #expect(try killed.box.bytes(try #require(store.movedAside)) == log)
                #expect(!store.isMissing)
                try store.close()
            }
        }
    }

    /// SQLite makes the index anew from what it can read, before such a start has done anything about it.
    @Test func startThatIsCutOffBehindTheKeeping_saysItAgain() async throws {
        let killed = try await Killed()
        var log = killed.log
        log[log.count - 100] ^= 1
        try killed.lay(log: log, index: killed.index)
        let lost = try #require(try StoreFile(directory: killed.box.directory).keepLostLog(now: Date()))
        try FileManager.default.removeItem(atPath: killed.box.path + "-shm")
        let store = try killed.box.open(now: Date(timeIntervalSinceNow: 60))
        #expect(store.lostLog == lost.words && store.movedAside == lost.copy)
        store.forgetLoss()
        try store.close()
        #expect(try killed.box.open().lostLog == nil)
    }

    /// The same where nothing is left that could be kept.
    @Test func startThatIsCutOffBehindALogThatIsGone_saysItAgain() async throws {
        let killed = try await Killed()
        try killed.lay(log: nil, index: killed.index)
        let lost = try #require(try StoreFile(directory: killed.box.directory).keepLostLog(now: Date()))
        // As SQLite does.
        try FileManager.default.removeItem(atPath: killed.box.path + "-shm")
        let store = try killed.box.open()
        #expect(store.lostLog == lost.words && store.movedAside == nil)
        store.forgetLoss()
        try store.close()
        #expect(try killed.box.open().lostLog == nil)
    }

    /// SQLite would read it, and take what stands in it over what is newer in the file.
    @Test func logOfAnEarlierRoundInItsPlace_isKeptAndSaid() async throws {
        let filled = try await FilledStore()
        let store = try filled.open()
        try await FilledStore.use(store, 1)
        let old = try filled.bytes(filled.path + "-wal")
        _ = try await store.queue.writeWithoutTransaction { db in try db.checkpoint(.restart) }
        for number in 2..<4 { try await FilledStore.use(store, number) }
        let copy = try filled.copy()
        for name in ["", "-shm"] {
            try Data(filled.bytes(filled.path + name)).write(to: URL(fileURLWithPath: copy.path + name))
        }
        try Data(old).write(to: URL(fileURLWithPath: copy.path + "-wal"))
        let found = try copy.open()
        #expect(found.lostLog?.contains("is an older one") == true)
        #expect(try copy.bytes(try #require(found.movedAside)) == old)
        found.forgetLoss()
        try found.close()
        #expect(try copy.open().lostLog == nil)
    }

    /// What a power cut leaves: the log went on in another round, and the index was not written since.
    @Test func indexOfAnEarlierRound_provesNothing() async throws {
        let filled = try await FilledStore()
        let store = try filled.open()
        try await FilledStore.use(store, 1)
        let index = try filled.bytes(filled.path + "-shm")
        _ = try await store.queue.writeWithoutTransaction { db in try db.checkpoint(.restart) }
        try await FilledStore.use(store, 2)
        let copy = try filled.copy()
        for name in ["", "-wal"] {
            try Data(filled.bytes(filled.path + name)).write(to: URL(fileURLWithPath: copy.path + name))
        }
        try Data(index).write(to: URL(fileURLWithPath: copy.path + "-shm"))
        let found = try copy.open()
        #expect(found.lostLog == nil)
        #expect(try await found.sessions().count == FilledStore.sessions + 2)
    }

    @Test(arguments: [nil, 0, 32]) func logIsGone_itIsSaid(bytes: Int?) async throws {
        let killed = try await Killed()
        let store = try killed.open(log: bytes.map { Array(killed.log.prefix($0)) }, index: killed.index)
        #expect(store.lostLog?.contains("is gone or empty") == true && store.movedAside == nil)
        #expect(try await store.sessions().count == FilledStore.sessions)
        store.forgetLoss()
        try store.close()
        #expect(try killed.box.open().lostLog == nil)
    }

    /// All of the log is in the database then.
    @Test func closedStore_hasLostNothing() async throws {
        let killed = try await Killed()
        try killed.open(log: killed.log, index: killed.index).close()
        let store = try killed.box.open()
        #expect(store.lostLog == nil)
        #expect(try await store.sessions().count == FilledStore.sessions + Self.written)
    }

    /// As a power cut leaves it, or another round of the log: it proves nothing.
    @Test func indexIsTornOrOfAnotherRound_theLogAloneCounts() async throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let killed = try await Killed()
        let cut = Array(killed.log.dropLast(Self.frame))
        for round in 0..<30 {
            var index = killed.index
            let byte = Int.random(in: 0..<40, using: &random)
            for place in [byte, byte + 48] { index[place] ^= 1 }
            if round == 0 { index = [] }
            if round == 1 { index = Array(index.prefix(99)) }
            let store = try killed.open(log: cut, index: index)
            #expect(store.lostLog == nil, "seed \(seed), round \(round), byte \(byte)")
            try store.close()
        }
    }
}
