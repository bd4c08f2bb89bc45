import Foundation
import Outgoing
import Synchronization
import Testing

@testable import Telegram

/// An answer while Telegram is away, wants none of it, or this worker ends.
@Suite(.timeLimit(.minutes(1))) struct AnswerViewTests {
    /// Telegram: fails as often as it is told to, and keeps what stands in its messages.
    private final class Port: OutgoingPort {
        struct State {
            var failures: [Int] = []
            var isAway = false
            var calls = 0
            var messages: [Int64: String] = [:]
        }
        let state = Mutex(State())
        let (tried, ring) = AsyncStream<Int>.makeStream()

        private struct Body: Decodable {
            var message_id: Int64?
            var text: String
        }

        func send(_ call: OutgoingCall) async throws(OutgoingFailure) -> OutgoingAnswer {
            guard let body = try? JSONDecoder().decode(Body.self, from: Data(call.body ?? [])) else {
                throw .timedOut(.seconds(1))
            }
            let (status, number) = state.withLock { state -> (Int, Int64) in
                state.calls += 1
                ring.yield(state.calls)
                if state.isAway { return (500, 0) }
                if !state.failures.isEmpty { return (state.failures.removeFirst(), 0) }
                let number = body.message_id ?? Int64(state.messages.count + 1)
                state.messages[number] = body.text
                return (200, number)
            }
            let text =
                status == 200
                ? #"{"ok":true,"result":{"message_id":\#(number),"chat":{"id":1}}}"#
                : #"{"ok":false,"error_code":\#(status),"description":"no"}"#
            return OutgoingAnswer(status: status, body: Array(text.utf8))
        }
    }

    private let port = Port()
    private let pace = Pace(interval: .milliseconds(1), longest: .milliseconds(2)) { _ in }

    private func view(messages: [Int64] = []) -> AnswerView {
        let api = BotAPI(base: "https://api.example.invalid", token: "1:x", port: port)
        return AnswerView(chat: 1, api: api, pace: pace, messages: messages) { _ in }
    }

    private func line(_ json: String) throws -> ChatLine { try #require(ChatLine(json: Array(json.utf8))) }

    private func tries(_ count: Int) async { for await number in port.tried where number >= count { return } }

    @Test(arguments: [500, 409, 401]) func endOfAnAnswer_arrivesHoweverLongTelegramWasAway(status: Int) async throws {
        let view = view()
        await view.take(try line(#"{"type":"text","block":"1","text":"The beginning"}"#))
        #expect(await view.finish())
        port.state.withLock { $0.failures = Array(repeating: status, count: 40) }
        await view.take(try line(#"{"type":"text","block":"1","text":" and the end."}"#))
        await view.take(try line(#"{"type":"ended","state":"done"}"#))
        #expect(await view.finish())
        #expect(port.state.withLock { $0.messages } == [1: "The beginning and the end."])
    }

    @Test func whatTelegramRefuses_isNotTriedForEver_andTheRestIsShown() async throws {
        let view = view(messages: [7])
        port.state.withLock { $0.failures = [400] }
        await view.take(try line(#"{"type":"text","block":"1","text":"one"}"#))
        #expect(await view.finish())
        await view.take(try line(#"{"type":"text","block":"1","text":" two"}"#))
        #expect(await view.finish())
        #expect(port.state.withLock { $0.messages } == [7: "one two"])
    }

    @Test func workerThatEndsWhileTelegramIsAway_doesNotHang_andSaysThatTheEndIsNotShown() async throws {
        let view = view()
        port.state.withLock { $0.isAway = true }
        await view.take(try line(#"{"type":"ended","state":"done"}"#))
        await tries(12)
        async let isShown = view.finish()
        // One that waits behind it.
        async let behind = pace.call { () async throws(BotAPI.Failure) in Issue.record("it is made") }
        await pace.stop()
        #expect(await isShown == false)
        guard case .stopped = await behind else {
            Issue.record("it is over")
            return
        }
    }

    @Test func wordsOfTheMoment_areGivenUp() async {
        port.state.withLock { $0.isAway = true }
        let api = BotAPI(base: "https://api.example.invalid", token: "1:x", port: port)
        let outcome = await pace.call(tries: 3) { () async throws(BotAPI.Failure) in try await api.send("x", to: 1) }
        guard case .notTaken = outcome else {
            Issue.record("it is tried for ever")
            return
        }
        #expect(port.state.withLock { $0.calls } == 3)
    }
}
