import AgentModel
import Foundation
import Testing

/// Model and agent of a session: kept, handed over with each turn, and refused where the agent does not have them.
@Suite(.timeLimit(.minutes(1)))
struct ChoiceTests {
    private func play() throws -> Play {
        let play = try Play()
        play.agent.catalog = [
            .model(ModelEntry(id: "p/small", name: "Small", provider: "P", context: 1000)),
            .model(ModelEntry(id: "p/large", name: "Large", provider: "P")),
            .agent(AgentEntry(name: "plan", description: "thinks")),
            .command(CommandEntry(name: "compact", description: "shortens")),
        ]
        return play
    }

    @Test func catalog_isTold() throws {
        let told = try play().answer(#"{"op":"catalog","workspace":"home"}"#)
        #expect(told.compactMap { $0["type"] as? String } == ["model", "model", "agent", "command"])
        #expect(told[0]["id"] as? String == "p/small" && told[0]["context"] as? Int == 1000)
    }

    /// A message that waits goes with what was chosen when it was sent.
    @Test func choice_goesWithEachTurn_asItWasWhenItWasSent() throws {
        let play = try play()
        let first = try play.handOver("one")
        #expect(first.turn.choice == TurnChoice())
        let chosen = try play.answer(#"{"op":"choose","session":"\#(first.session)","model":"p/small","agent":"plan"}"#)
        #expect(chosen.first?["model"] as? String == "p/small" && chosen.first?["agent"] as? String == "plan")
        let second = play.send("two", session: first.session)
        try play.until("it to be stored") { $0.client.types(second).contains("accepted") }
        _ = try play.answer(#"{"op":"choose","session":"\#(first.session)","model":null}"#)
        try play.agent.tell(first.turn, .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("the second turn at the agent") { $0.agent.turns.count == 2 }
        #expect(play.agent.turns[1].choice == TurnChoice(model: "p/small", agent: "plan"))
        let position = try play.answer(#"{"op":"open","session":"\#(first.session)"}"#)
        #expect(position[0]["model"] == nil && position[0]["agent"] as? String == "plan")
        #expect(position.last { $0["type"] as? String == "turn" }?["model"] as? String == "p/small")
    }

    @Test func choice_outlivesChatBridge_andASendChangesIt() throws {
        let play = try play()
        let id = play.bridge.ask(#"{"op":"send","session":null,"text":"a","client_id":"1","model":"p/large"}"#)
        try play.until("the turn at the agent") { $0.agent.turns.count == 1 }
        #expect(play.agent.turns[0].choice == TurnChoice(model: "p/large"))
        try play.agent.tell(play.agent.turns[0], .turnStarted(), .turnEnded(.done), to: play.bridge)
        try play.until("its end") { $0.client.finished.contains(id) }
        let session = try #require(play.client.events[id]?.first?["session"] as? String)
        try play.restart()
        #expect(try play.handOver("b", session: session).turn.choice == TurnChoice(model: "p/large"))
    }

    @Test(arguments: ["model", "agent"]) func whatTheAgentDoesNotHave_isRefused_andNothingIsStored(kind: String) throws
    {
        let play = try play()
        let id = play.bridge.ask(#"{"op":"send","session":null,"text":"a","client_id":"1","\#(kind)":"p/smal"}"#)
        try play.until("a refusal") { $0.client.finished.contains(id) }
        #expect(play.client.failures[id] == "bad-request")
        #expect(play.client.words[id]?.contains("has no \(kind) 'p/smal'") == true)
        #expect(kind == "agent" || play.client.words[id]?.contains("did you mean 'p/small'?") == true)
        #expect(try play.answer(#"{"op":"list"}"#).isEmpty && play.agent.turns.isEmpty)
    }
}
