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
            try box.change { _ in }
            if let log { try Data(log).write(to: URL(fileURLWithPath: box.path + "-wal")) }
            try Data(index).write(to: URL(fileURLWithPath: box.path + "-shm"))
            return try box.open()
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
        let first = try killed.open(log: log, index: killed.index)
        let aside = try #require(first.movedAside)
        try first.close()
        try Data(killed.box.written).write(to: URL(fileURLWithPath: killed.box.path))
        try Data(log).write(to: URL(fileURLWithPath: killed.box.path + "-wal"))
        let again = try killed.box.open(now: Date(timeIntervalSinceNow: 60))
        #expect(again.lostLog?.contains(aside) == true && again.movedAside == aside)
        try again.close()
        #expect(try killed.box.open().lostLog == nil)
    }

    @Test(arguments: [nil, 0, 32]) func logIsGone_itIsSaid(bytes: Int?) async throws {
        let killed = try await Killed()
        let store = try killed.open(log: bytes.map { Array(killed.log.prefix($0)) }, index: killed.index)
        #expect(store.lostLog?.contains("is gone or empty") == true && store.movedAside == nil)
        #expect(try await store.sessions().count == FilledStore.sessions)
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
