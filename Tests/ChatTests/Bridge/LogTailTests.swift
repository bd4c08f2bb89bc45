import Chat
import ChatWeb
import Foundation
import Testing

@testable import chat_bridge

/// A child's log for the page, from files as log-writer writes them (docs/logs.md).
@Suite(.timeLimit(.minutes(1)))
final class LogTailTests {
    private let directory = FileManager.default.temporaryDirectory.path + "/nexus-tail-\(UUID().uuidString)"
    private var second = 0

    init() throws {
        try FileManager.default.createDirectory(atPath: directory + "/web", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: directory + "/nexusd", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: directory + "/web/current"))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Appends lines that were read at one look, and so share their stamp.
    private func say(_ texts: [String], level: Int = 6) throws {
        second += 1
        let stamp = String(format: "2026-11-23T04:%02d:%02d.000000Z", second / 60, second % 60)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: directory + "/web/current"))
        defer { try? file.close() }
        try file.seekToEnd()
        let lines = texts.map { "\(stamp) 6743f2a1-17 O\(level)- \($0)\n" }.joined()
        try file.write(contentsOf: Data(lines.utf8))
    }

    private func tail(from place: LogPlace? = nil) throws -> LogTail {
        try LogTail(of: "web", in: directory, from: place)
    }

    @Test func lastLines_thenWhatComes() async throws {
        try say((0..<300).map { "line \($0)" })
        let tail = try tail()
        let first = try #require(try await tail.next())
        #expect(first.lines.count == 200 && first.lines.first?.text == "line 100" && first.skipped == 0)
        async let next = tail.next()
        try say(["it \u{1B}[31mbroke"], level: 3)
        let second = try #require(try await next)
        #expect(second.lines.map(\.text) == ["it broke"] && second.lines.map(\.level) == ["err"])
    }

    @Test func placeAmongLinesOfOneStamp_goesOnBehindIt() async throws {
        try say(["one", "two"])
        let first = try #require(try await tail().next())
        #expect(first.same == 2)
        let place = LogPlace(at: first.at, same: first.same)
        #expect(try await tail(from: place).next()?.lines.isEmpty == true)
        try say(["of the next look"])
        #expect(try await tail(from: place).next()?.lines.map(\.text) == ["of the next look"])
    }

    @Test func linesOfTheSameLook_writtenMeanwhile_areNotLost() async throws {
        try say(["one", "two"])
        let first = try #require(try await tail().next())
        let place = LogPlace(at: first.at, same: first.same)
        second -= 1
        try say(["three"])
        try say(["four"])
        #expect(try await tail(from: place).next()?.lines.map(\.text) == ["three", "four"])
        #expect(try await tail(from: LogPlace(at: "nonsense", same: 9)).next()?.lines.count == 4)
    }

    @Test func flood_isCutToTheNewest_andCounted() async throws {
        let tail = try tail()
        #expect(try await tail.next()?.lines.isEmpty == true)
        try say((0..<5000).map { "line \($0)" })
        let flood = try #require(try await tail.next())
        #expect(flood.lines.count == 200 && flood.skipped == 4800 && flood.lines.last?.text == "line 4999")
        try say([String(repeating: "x", count: 5000)])
        #expect(try await tail.next()?.lines.first?.text.count == 1001)
    }

    @Test(arguments: ["..", ".", "other", "web/../web", ""]) func onlyAChildsLog_isFollowed(_ name: String) throws {
        let failure = #expect(throws: ChatError.self) { try LogTail(of: name, in: self.directory, from: nil) }
        #expect(failure?.code == .unknown)
    }

    @Test func logsThatCannotBeRead_areNamedWithTheRemedy() throws {
        let failure = #expect(throws: ChatError.self) { try LogTail(of: "web", in: self.directory + "/no", from: nil) }
        #expect(failure?.code == .refused && failure?.message.contains("log-writer's group") == true)
    }

    @Test func whoIsCancelled_stopsAtOnce() async throws {
        let tail = try tail()
        _ = try await tail.next()
        let waiting = Task { try await tail.next() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
