import AgentModel
import Chance
import Foundation
import Glibc
import Testing
import Wire

/// SIGKILL at any moment: what was accepted is there, nothing is done twice, every turn is exactly one thing.
@Suite(.timeLimit(.minutes(4)), .serialized)
struct BridgeKillTests {
    @Test func killedWhileTheAgentAnswers_turnIsInterruptedAndTextKept() throws {
        let play = try Play()
        for round in 0..<5 {
            let (id, session, turn) = try play.handOver("round \(round)")
            try play.agent.tell(turn, .turnStarted(), to: play.bridge)
            // More than a batch: part of it is on the disk when the rest is not. In portions below the stream's credit.
            for portion in 0..<30 {
                for word in portion * 100..<portion * 100 + 100 {
                    try play.agent.tell(turn, .textDelta(block: "b", text: "word\(word) "), to: play.bridge)
                }
                try play.until("portion \(portion)") { play in
                    play.client.last(id)["text"] as? String == "word\(portion * 100 + 99) "
                }
            }
            let seen = play.client.text(id)
            try play.restart()
            let history = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
            #expect(history.first?["text"] as? String == "round \(round)")
            #expect(history.first?["state"] as? String == "interrupted")
            #expect((history.first?["reason"] as? String)?.contains("chat-bridge restarted") == true)
            let kept = history.compactMap { $0["type"] as? String == "text" ? $0["text"] as? String : nil }.joined()
            let whole = (0..<3000).map { "word\($0) " }.joined()
            #expect(whole.hasPrefix(kept))
            // A batch, and the word that filled it.
            let lost = seen.utf8.count - kept.utf8.count
            #expect(lost <= 4096 + 10, "lost \(lost) bytes")
        }
    }

    @Test func killedAtRandomWhileMessagesCome_noAcceptedOneIsLostOrDoubled() throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let play = try Play()
        play.agent.isReady = false
        var sent: [String: String] = [:]
        var accepted: Set<String> = []
        for round in 0..<10 {
            var ids: [FrameID: String] = [:]
            for number in 0..<12 {
                let client = "\(round)-\(number)"
                sent[client] = "message \(client)"
                ids[play.send("message \(client)", id: client)] = client
            }
            let enough = Int.random(in: 0..<12, using: &random)
            try play.until("\(enough) accepted") { play in
                ids.keys.count { play.client.types($0).contains("accepted") } >= enough
            }
            accepted.formUnion(ids.filter { play.client.types($0.key).contains("accepted") }.values)
            try play.restart()
        }
        let stored = try play.answer(#"{"op":"list"}"#).compactMap { $0["title"] as? String }
        for client in accepted { #expect(stored.contains("message \(client)"), "seed \(seed)") }
        #expect(Set(stored).count == stored.count)
        // What the clients do that were cut off: the same again, with the same id.
        for (client, text) in sent {
            let id = play.send(text, id: client)
            try play.until("the answer to \(client)") { $0.client.types(id).contains("accepted") }
        }
        let all = try play.answer(#"{"op":"list"}"#).compactMap { $0["title"] as? String }
        #expect(all.count == sent.count && Set(all) == Set(sent.values), "seed \(seed)")
        // Each of them reaches the agent exactly once.
        play.agent.isReady = true
        try play.until("all turns at the agent") { $0.agent.turns.count >= sent.count }
        #expect(play.agent.turns.map(\.text).sorted() == sent.values.sorted(), "seed \(seed)")
    }

    @Test func turnThatWasHandedOver_isNeverHandedOverAgain() throws {
        let play = try Play()
        let (_, session, turn) = try play.handOver("once")
        try play.restart()
        #expect(try play.states(session) == ["interrupted"])
        // It says interrupted, so the agent does not go on unseen, whether or not another message comes.
        try play.until("the agent to be stopped") { $0.agent.aborted == [turn.session] }
        let (_, _, next) = try play.handOver("another", session: session)
        #expect(next.text == "another")
        #expect(play.agent.turns.count == 1)
    }
}
