import Foundation
import Testing

/// Copies and what is taken back, by the page's own way.
@Suite(.timeLimit(.minutes(1)))
struct CopyTests {
    private func objects(_ answer: RawAnswer) -> [[String: Any]] {
        answer.text.components(separatedBy: "\r\n").flatMap { $0.split(separator: "\n") }.compactMap { line in
            line.hasPrefix("{")
                ? (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any] : nil
        }
    }

    @Test func pageCopiesTakesBackAndBringsBack() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair(.chatOnly)
        func ask(_ body: String) throws -> [[String: Any]] {
            objects(try box.post("/api/chat", body, cookie: cookie))
        }
        let connection = try box.connect()
        try connection.send(
            box.request("/api/chat", #"{"op":"send","session":null,"text":"hello","client_id":"c"}"#, cookie: cookie))
        await box.agent.turnBegins()
        box.agent.complete("an answer")
        box.agent.end()
        let accepted = try #require(objects(try connection.answer()).first)
        let session = try #require(accepted["session"] as? String)
        let turn = try #require(accepted["turn"] as? Int)
        #expect(try ask(#"{"op":"revert","session":"\#(session)","turn":\#(turn)}"#).first?["turns"] as? Int == 1)
        let opened = try ask(#"{"op":"open","session":"\#(session)"}"#)
        #expect(opened.first?["reverted"] as? Int == 1)
        #expect(opened.contains { $0["type"] as? String == "turn" && $0["taken_back"] as? Bool == true })
        #expect(try ask(#"{"op":"unrevert","session":"\#(session)"}"#).first?["type"] as? String == "unreverted")
        let copy = try #require(try ask(#"{"op":"fork","session":"\#(session)"}"#).first?["session"] as? String)
        #expect(try ask(#"{"op":"open","session":"\#(copy)"}"#).contains { $0["text"] as? String == "an answer" })
    }
}
