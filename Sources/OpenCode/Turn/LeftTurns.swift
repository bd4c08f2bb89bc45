/// Turns that go on at the agent while nobody listens, as when chat-bridge was killed. What a block says that grows meanwhile
/// is heard here: opencode gives it out whole only at its end, and whoever comes back wants to go on reading. Pure.
struct LeftTurns {
    private var turns: [(session: String, reducer: TurnReducer)] = []

    /// From now on what is heard of it comes here. Of more than `Limits.leftTurns` the oldest is let go.
    mutating func leave(_ reducer: TurnReducer, of session: String) {
        forget(session)
        if turns.count >= Limits.leftTurns { turns.removeFirst() }
        turns.append((session, reducer))
    }

    /// Facts of the event stream, in their order and without a gap since it was left.
    mutating func hear(_ facts: [TurnFact], of session: String) {
        guard let index = turns.firstIndex(where: { $0.session == session }) else { return }
        // Without a clock: what has to do with time is of no use to nobody.
        for fact in facts { _ = turns[index].reducer.handle(fact, at: .zero) }
    }

    /// What is known of the blocks of the turn that this prompt began, for whoever listens to it from now on.
    mutating func take(_ session: String, prompt: String) -> [String: TurnReducer.Block] {
        let found = turns.first { $0.session == session && $0.reducer.prompt == prompt }
        forget(session)
        return found?.reducer.blocks ?? [:]
    }

    /// Another turn begins in this session.
    mutating func forget(_ session: String) { turns.removeAll { $0.session == session } }

    /// Something was missed of all of them.
    mutating func forgetAll() { turns = [] }
}
