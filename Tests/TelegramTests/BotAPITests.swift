import Foundation
import Outgoing
import Synchronization
import Testing

@testable import Telegram

/// The Bot API's answers in our words; its address in nobody's.
@Suite(.timeLimit(.minutes(1))) struct BotAPITests {
    /// Answers with this, and keeps what it is to call.
    private final class Port: OutgoingPort {
        let answer: Result<OutgoingAnswer, OutgoingFailure>
        let calls = Mutex<[OutgoingCall]>([])

        init(_ status: Int, _ body: String) {
            answer = .success(OutgoingAnswer(status: status, body: Array(body.utf8)))
        }
        init(_ failure: OutgoingFailure) { answer = .failure(failure) }

        func send(_ call: OutgoingCall) async throws(OutgoingFailure) -> OutgoingAnswer {
            calls.withLock { $0.append(call) }
            return try answer.get()
        }
    }

    private static let token = "123:secret-token"

    private func failure(_ port: Port) async -> BotAPI.Failure? {
        do throws(BotAPI.Failure) {
            _ = try await BotAPI(base: "https://api.example.invalid/", token: Self.token, port: port).send("x", to: 1)
            return nil
        } catch {
            return error
        }
    }

    @Test func message_isSent_andItsNumberKept() async throws {
        let port = Port(200, #"{"ok":true,"result":{"message_id":7,"chat":{"id":1}}}"#)
        let api = BotAPI(base: "https://api.example.invalid/", token: Self.token, port: port)
        #expect(try await api.send("x", to: 1, InlineKeyboard([.init("a", "b")])) == 7)
        let call = try #require(port.calls.withLock { $0.first })
        #expect(call.url == "https://api.example.invalid/bot123:secret-token/sendMessage" && call.httpsOnly)
        let body = try #require(try JSONSerialization.jsonObject(with: Data(call.body ?? [])) as? [String: Any])
        #expect(body["chat_id"] as? Int == 1 && body["text"] as? String == "x")
        #expect(body["parse_mode"] == nil, "the agent's words are no markup of Telegram's")
    }

    @Test func whatGoesWrong_isToldInItsKind_withoutTheToken() async {
        let wait = #"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":9}}"#
        #expect(await failure(Port(429, wait)) == .tooOften(seconds: 9))
        #expect(await failure(Port(401, #"{"ok":false,"error_code":401,"description":"Unauthorized"}"#)) == .token)
        #expect(await failure(Port(409, #"{"ok":false,"error_code":409,"description":"Conflict"}"#)) == .conflict)
        let refused = await failure(
            Port(400, #"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#))
        #expect(refused == .refused(400, "Bad Request: chat not found"))
        for port in [Port(502, "<html>"), Port(.timedOut(.seconds(1))), Port(500, #"{"ok":false,"error_code":500}"#)] {
            guard case .unreachable(let words) = await failure(port) else {
                Issue.record("not unreachable")
                continue
            }
            #expect(!words.contains("secret-token"))
        }
    }

    @Test func strangeUpdate_holdsUpNobody() async throws {
        let port = Port(
            200,
            #"{"ok":true,"result":[{"update_id":1,"message":{"odd":true}},{"update_id":2,"poll":{}},{"update_id":3,"message":{"message_id":5,"chat":{"id":-7},"text":"hi"}}]}"#
        )
        let updates = try await BotAPI(base: "https://api.example.invalid", token: Self.token, port: port).updates(
            from: 0)
        #expect(updates.map(\.update_id) == [1, 2, 3])
        #expect(updates.map(\.message?.text) == [nil, nil, "hi"] && updates[2].message?.chat.id == -7)
    }

    @Test func unchangedMessage_isNoFailure() async throws {
        let port = Port(400, #"{"ok":false,"error_code":400,"description":"Bad Request: message is not modified: …"}"#)
        try await BotAPI(base: "https://api.example.invalid", token: Self.token, port: port).edit(7, in: 1, "x")
    }
}
