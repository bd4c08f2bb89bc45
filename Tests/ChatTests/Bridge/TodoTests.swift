import AgentModel
import Testing

/// What the agent has to do: its list belongs to the session, and is shown with the turn that changed it.
@Suite(.timeLimit(.minutes(1)), .serialized)
struct TodoTests {
    private static func list(_ done: Int) -> AgentEvent {
        .todos(
            ["read", "write", "test"].enumerated().map { index, content in
                Todo(content: content, status: index < done ? .completed : .pending, priority: "high")
            })
    }

    /// One turn with these lists; what of them it shows.
    private func lists(_ play: Play, _ session: String?, _ events: [AgentEvent]) throws -> (session: String, count: Int)
    {
        let (id, session, turn) = try play.handOver("go on", session: session)
        try play.agent.tell(turn, .turnStarted(prompt: nil), to: play.bridge)
        for event in events { try play.agent.tell(turn, event, to: play.bridge) }
        try play.agent.tell(turn, .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.finished.contains(id) }
        return (session, play.client.types(id).count { $0 == "todos" })
    }

    @Test func listOfAnEarlierTurn_isNotShownAgain() throws {
        let play = try Play()
        let (session, count) = try lists(play, nil, [Self.list(0), Self.list(1)])
        #expect(count == 2)
        // Read back at its end, as opencode's is.
        #expect(try lists(play, session, [Self.list(1)]).count == 0)
        #expect(try lists(play, session, [Self.list(2), Self.list(2), Self.list(3)]).count == 2)
        try play.restart()
        #expect(try lists(play, session, [Self.list(3)]).count == 0)
        let history = try play.answer(#"{"op":"history","session":"\#(session)"}"#).compactMap { $0["type"] as? String }
        #expect(history == ["turn", "todos", "turn", "turn", "todos", "turn"], "\(history)")
        #expect(try lists(play, nil, [Self.list(3)]).count == 1)
    }
}
