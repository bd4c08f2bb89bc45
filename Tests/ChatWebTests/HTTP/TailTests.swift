import Chat
import Foundation
import Synchronization
import Testing

@testable import ChatWeb

/// The log of a child over HTTP. That it is the real log, `scripts/checks/web` and `LogTailTests` see.
@Suite(.timeLimit(.minutes(2)))
struct TailTests {
    @Test func linesComeAsTheyAreSaid_untilTheDeviceIsShutOut() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let connection = try box.connect()
        try connection.send(box.request("/api/appliance", #"{"op":"tail","child":"web"}"#, cookie: cookie))
        for word in ["one", "two"] {
            box.log.say(word)
            _ = try connection.receive(until: "\"text\":\"\(word)\"")
        }
        let device = try #require(try await box.store.devices().first)
        _ = try await box.server.answer(.revoke(device.id), by: "a test")
        #expect(try connection.receive(until: "unpaired").contains(#""type":"error""#))
        await box.log.isLeft()
    }

    @Test func onlyOwners_mayLook() async throws {
        let box = try await WebBox()
        let guest = try await box.pair(.chatOnly)
        #expect(try box.post("/api/appliance", #"{"op":"tail","child":"web"}"#, cookie: guest).status == 403)
        #expect(try box.post("/api/appliance", #"{"op":"tail","child":"web"}"#).status == 401)
        let owner = try await box.pair()
        for child in ["", "a/b", "../x", "a b"] {
            let answer = try box.post("/api/appliance", #"{"op":"tail","child":"\#(child)"}"#, cookie: owner)
            #expect(answer.status == 400)
        }
        #expect(box.log.asked.all.isEmpty)
    }

    /// What `why` shows of it is the same right; without it the log is nobody's.
    @Test func withoutStatusAmongMay_noLogIsRead() async throws {
        let asked = WebBox.Words()
        let appliance = Appliance(
            own: "chat-bridge", ask: { _ in [] }, may: { ["restart:web"] },
            tail: { child, _ in
                asked.add(child)
                return PlayedLog()
            }, audit: { _ in })
        let line = await appliance.follow("web", from: nil) { _ in asked.add("a line") }
        let words = String(decoding: line, as: UTF8.self)
        #expect(words.contains(#""code":"refused""#) && words.contains("does not have \\\"status\\\""), "\(words)")
        #expect(asked.all.isEmpty)
    }

    @Test func place_isHandedOn_soThatNothingComesTwice() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        box.log.say("one")
        let body = #"{"op":"tail","child":"web","at":"2026-11-23T04:05:06.123456Z","same":2,"wait":5}"#
        let answer = try box.post("/api/appliance", body, cookie: cookie)
        #expect(answer.types == ["lines", "more"])
        #expect(box.log.asked.all == ["web 2026-11-23T04:05:06.123456Z 2"])
    }
}

/// Says what the test lets it say.
final class PlayedLog: LogTailing {
    let asked = WebBox.Words()
    private let lines = AsyncStream<String>.makeStream()
    private let left = AsyncStream<Void>.makeStream()

    func say(_ text: String) { lines.continuation.yield(text) }

    /// Returns when whoever listened is gone.
    func isLeft() async {
        for await _ in left.stream { return }
    }

    func next() async throws -> LogLines? {
        for await text in lines.stream {
            return LogLines(
                lines: [LogLines.Line(time: "2026-11-23T04:05:06.123456Z", level: "info", text: text)], skipped: 0,
                upTo: LogPlace(at: "2026-11-23T04:05:06.123456Z", same: 1))
        }
        left.continuation.yield()
        return nil
    }
}
