import Foundation
import Testing

@testable import Chat

/// How long a message may be: counted in one way by whoever takes it and whoever sends it.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct MessageSizeTests {
    /// With what is said of it in JSON: as long as it may be, and with one byte more.
    @Test(arguments: [("/", 60_000), ("\\n", 30_000), ("\\\"", 30_000), ("é", 30_000), ("\\u0001", 10_000)])
    func longestMessage_reachesTheAgent_andAByteMoreIsRefusedInWords(escaped: String, count: Int) throws {
        let play = try Play()
        let most = "x" + String(repeating: escaped, count: count - 1)
        // What is written in several bytes leaves room for more than the one letter.
        let rest = String(repeating: "x", count: Submission.textLimit - most.utf8.count)
        let (_, _, turn) = try play.handOver(most + rest)
        let text = try #require(
            try JSONSerialization.jsonObject(with: Data("[\"\(most + rest)\"]".utf8)) as? [String])
        #expect(turn.text == text[0])
        let refused = play.send(most + rest + "x")
        try play.until("the refusal") { $0.client.finished.contains(refused) }
        #expect(play.client.failures[refused] == "bad-request")
        #expect(play.client.words[refused]?.contains("60001 bytes, at most 60000") == true)
    }

    @Test(arguments: ["/\u{7F}é\u{2028}👋", "\"\\", "\n\t\r\u{8}\u{C}", "\u{1}\u{1F}", ""])
    func size_isWhatJSONWrites(text: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        #expect(Submission.size(of: text) == (try encoder.encode(text).count) - 2)
    }
}
