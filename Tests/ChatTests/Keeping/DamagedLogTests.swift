import Chance
import Foundation
import GRDB
import Testing

@testable import Chat

/// The write-ahead log of a process that was killed, damaged: what SQLite would drop without a word is kept and said.
@Suite(.timeLimit(.minutes(1)))
struct DamagedLogTests {
    private static let frame = 24 + 4096
    private static let written = 12

    /// A store whose last messages are in its log only, as a killed process leaves it.
    private func killed() async throws -> (box: FilledStore, log: [UInt8]) {
        let filled = try await FilledStore()
        let living = try filled.open()
        for number in 0..<Self.written { try await FilledStore.use(living, 1000 + number) }
        let box = try filled.copy()
        return (box, try filled.bytes(filled.path + "-wal"))
    }

    /// The frames with which a transaction ends.
    private static func ends(_ log: [UInt8]) -> [Int] {
        (0..<(log.count - 32) / frame).filter { log[(32 + $0 * frame + 4)..<(32 + $0 * frame + 8)] != [0, 0, 0, 0] }
    }

    private func open(_ box: FilledStore, _ log: [UInt8]) throws -> ChatStore {
        try box.change { _ in }
        try Data(log).write(to: URL(fileURLWithPath: box.path + "-wal"))
        return try box.open()
    }

    @Test func soundLog_isReadWhole() async throws {
        let (box, log) = try await killed()
        let store = try open(box, log)
        #expect(store.lostLog == nil && store.movedAside == nil)
        #expect(try await store.sessions().count == FilledStore.sessions + Self.written)
    }

    @Test func frameInTheMiddleIsBroken_theLogIsKeptAndSaid() async throws {
        let (box, sound) = try await killed()
        var log = sound
        log[32 + Self.frame * 3 + 100] ^= 1
        let store = try open(box, log)
        let words = try #require(store.lostLog)
        #expect(words.contains("byte \(32 + Self.frame * 3)"))
        let aside = try #require(store.movedAside)
        #expect(aside.hasSuffix("-log") && words.contains(aside))
        #expect(try box.bytes(aside) == log)
        #expect(try await store.sessions().count < FilledStore.sessions + Self.written)
        try await FilledStore.use(store)
    }

    /// A start that is cut off behind the keeping finds the same log again.
    @Test func sameDamagedLog_isKeptOnce() async throws {
        let (box, sound) = try await killed()
        var log = sound
        log[32 + Self.frame * 3 + 100] ^= 1
        let first = try open(box, log)
        let aside = try #require(first.movedAside)
        try first.close()
        // As it was found, beside what was kept of it; a minute later the name would be another one.
        try Data(box.written).write(to: URL(fileURLWithPath: box.path))
        try Data(log).write(to: URL(fileURLWithPath: box.path + "-wal"))
        let again = try box.open(now: Date(timeIntervalSinceNow: 60))
        let found = try kept(box)
        #expect(
            again.movedAside == aside && again.lostLog?.contains(aside) == true, "\(again.lostLog ?? "none"), \(found)")
        try again.close()
        #expect(try kept(box) == [aside])
    }

    private func kept(_ box: FilledStore) throws -> [String] {
        let directory = (box.path as NSString).deletingLastPathComponent
        return try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix("-log") }
            .map { directory + "/" + $0 }
    }

    /// As one that is somebody else's, or lies on a bad sector: it is waited for, in words of our own.
    @Test(arguments: [("/proc/self/mem", "gives errors"), ("/nowhere", "cannot be written")])
    func logThatCannotBeRead_isAnObstacle(path: String, words: String) throws {
        let error = try #require(
            #expect(throws: DatabaseError.self) {
                var log = try WriteAheadLog(path)
                _ = try log.readHeader()
            })
        #expect(ChatStore.obstacle(error, in: "/srv/chat")?.contains(words) == true)
    }

    @Test func directoryInTheLogsPlace_isRefusedInWords() async throws {
        let box = try await killed().box
        try box.change { _ in }
        try FileManager.default.createDirectory(atPath: box.path + "-wal", withIntermediateDirectories: false)
        let error = #expect(throws: StoreRefusal.self) { try box.open() }
        #expect(error?.description.contains("chat.sqlite-wal is a directory and no file; move it away") == true)
    }

    /// What a power cut leaves was never acknowledged.
    @Test func tornEnd_isNoDamage() async throws {
        let (box, log) = try await killed()
        for cut in [1, 100, Self.frame - 1, Self.frame] {
            let store = try open(box, Array(log.dropLast(cut)))
            #expect(store.lostLog == nil && store.movedAside == nil, "\(cut)")
            #expect(try await store.sessions().count >= FilledStore.sessions + Self.written - 1)
            try store.close()
        }
    }

    /// Its pages reach the disk in any order: the end of a transaction may be there while a page of it is not.
    @Test func pageOfTheLastTransactionIsMissing_isNoDamage_ofTheOneBeforeItIs() async throws {
        let (box, sound) = try await killed()
        let frames = (sound.count - 32) / Self.frame
        let ends = Self.ends(sound)
        // Transactions of more than one frame.
        let last = try #require(ends.last)
        let before = try #require(ends.dropLast().last)
        try #require(last - before > 1)
        for (frame, isLost) in [(before + 1, false), (before, true)] {
            var log = sound
            let page = 32 + frame * Self.frame + 24
            log.replaceSubrange(page..<page + 4096, with: repeatElement(0xA5, count: 4096))
            let store = try open(box, log)
            #expect((store.lostLog != nil) == isLost, "frame \(frame) of \(frames)")
            try store.close()
        }
    }

    /// What belongs to another round of the log has other salts, and so has a frame that was damaged there.
    @Test func saltsOfTheEndBeforeTheLastTransactionAreBroken_itIsSaid() async throws {
        let (box, sound) = try await killed()
        let ends = Self.ends(sound)
        var log = sound
        log[32 + (try #require(ends.dropLast().last)) * Self.frame + 8] ^= 1
        let store = try open(box, log)
        #expect(store.lostLog != nil)
        try store.close()
    }

    /// Neither is whole: what tells that the first one was is that another was begun behind its end.
    @Test func lastTwoTransactionsAreBroken_itIsSaid() async throws {
        let (box, sound) = try await killed()
        let ends = Self.ends(sound)
        var log = sound
        for frame in [try #require(ends.dropLast().last), try #require(ends.last)] {
            log[32 + frame * Self.frame + 100] ^= 1
        }
        let store = try open(box, log)
        #expect(store.lostLog != nil)
        try store.close()
    }

    @Test func brokenAnywhere_nothingIsLostWithoutAWord() async throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let (box, sound) = try await killed()
        let all = FilledStore.sessions + Self.written
        for round in 0..<92 {
            var log = sound
            let place = round < 32 ? round : Int.random(in: 32..<log.count, using: &random)
            log[place] ^= UInt8.random(in: 1 ... .max, using: &random)
            let store = try open(box, log)
            let count = try await store.sessions().count
            #expect(count >= all - 1 || store.lostLog != nil, "seed \(seed), round \(round), byte \(place): \(count)")
            #expect(store.damage == nil, "seed \(seed), round \(round)")
            try store.close()
        }
    }
}
