import AgentModel
import Foundation
import Testing

/// What `[chat]` says about keeping, done by the built chat-bridge.
@Suite(.timeLimit(.minutes(1)))
struct KeepingTests {
    @Test func moreThanMayBeKept_goesByItself_atTheAgentToo_andTheNewestStays() throws {
        let play = try Play()
        for text in ["the first", "the second", "the newest"] {
            let sent = try play.handOver(text)
            try play.agent.tell(sent.turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
            try play.until("the end of \(text)") { $0.client.finished.contains(sent.id) }
        }
        try play.restart(keep: #"{"total-bytes":1}"#)
        try play.until("both to be removed at the agent") { $0.agent.changes.count == 2 }
        #expect(
            play.agent.changes == [
                .deleteSession(AgentSessionID(rawValue: "ses_1")), .deleteSession(AgentSessionID(rawValue: "ses_2")),
            ])
        let left = try play.answer(#"{"op":"list"}"#).compactMap { $0["title"] as? String }
        #expect(left == ["the newest"])
    }
}
