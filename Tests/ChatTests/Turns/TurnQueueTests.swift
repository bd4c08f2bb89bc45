import Chance
import Chat
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TurnQueueTests {
    private let a = SessionID(rawValue: "a")
    private let b = SessionID(rawValue: "b")
    private func turn(_ number: Int64) -> TurnID { TurnID(rawValue: number) }

    @Test func sessionsGoBesideEachOther_turnsOfOneAfterEachOther() {
        var queue = TurnQueue(agent: .here)
        #expect(queue.accepted(turn(1), in: a) == [.begin(turn(1), a)])
        #expect(queue.accepted(turn(2), in: b) == [.begin(turn(2), b)])
        let waits = queue.accepted(turn(3), in: a)
        #expect(waits == [.wait(turn(3), a, why: "an earlier message of this session comes first")])
        #expect(queue.ended(turn(2), in: b) == [])
        #expect(queue.ended(turn(1), in: a) == [.begin(turn(3), a)])
        #expect(queue.runningCount == 1 && queue.queuedCount == 0)
    }

    @Test func agentAway_everythingWaitsAndGoesInOrderWhenItIsBack() {
        var queue = TurnQueue(agent: .away("asleep"))
        #expect(queue.accepted(turn(1), in: a) == [.wait(turn(1), a, why: "asleep")])
        #expect(queue.accepted(turn(2), in: a) == [.wait(turn(2), a, why: "asleep")])
        #expect(queue.accepted(turn(3), in: b) == [.wait(turn(3), b, why: "asleep")])
        #expect(queue.reasonToWait(turn(2), in: a) == "asleep")
        #expect(queue.agentIs(.away("asleep")) == [])
        #expect(queue.agentIs(.here) == [.begin(turn(1), a), .begin(turn(3), b)])
        #expect(queue.agentIs(.here) == [])
        #expect(queue.reasonToWait(turn(1), in: a) == nil)
    }

    @Test func notDelivered_isTheNextOneAgain() {
        var queue = TurnQueue(agent: .here)
        _ = queue.accepted(turn(1), in: a)
        _ = queue.accepted(turn(2), in: a)
        let told = queue.notDelivered(turn(1), in: a, why: "gone")
        #expect(told == [.wait(turn(1), a, why: "gone"), .wait(turn(2), a, why: "gone")])
        #expect(queue.agentIs(.here) == [.begin(turn(1), a)])
    }

    @Test func withdrawn_neverBegins() {
        var queue = TurnQueue(agent: .here)
        for number in 1...3 { _ = queue.accepted(turn(Int64(number)), in: a) }
        #expect(queue.withdraw(turn(2), in: a) == TurnQueue.Withdrawn(queued: [turn(2)], running: nil))
        #expect(queue.ended(turn(1), in: a) == [.begin(turn(3), a)])
        #expect(queue.withdraw(nil, in: a) == TurnQueue.Withdrawn(queued: [], running: turn(3)))
        #expect(queue.withdraw(nil, in: b) == TurnQueue.Withdrawn(queued: [], running: nil))
    }

    @Test func wordsAboutOtherTurns_changeNothing() {
        var queue = TurnQueue(agent: .here)
        _ = queue.accepted(turn(1), in: a)
        #expect(queue.ended(turn(9), in: a) == [])
        #expect(queue.ended(turn(1), in: b) == [])
        #expect(queue.notDelivered(turn(9), in: a, why: "x") == [])
        #expect(queue.runningCount == 1 && queue.agent == .here)
    }

    /// Against the plainest model there is: a list of all turns with their states.
    @Test func randomScripts_neverTwoAtOnceNeverOutOfOrderNeverTwice() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        for _ in 0..<300 {
            var queue = TurnQueue(agent: .away("at first"))
            var model = QueueModel()
            for _ in 0..<60 {
                let problem = model.step(&queue, &random)
                #expect(problem == nil, "seed \(seed): \(problem ?? "")")
                if problem != nil { return }
            }
        }
    }
}

/// What must hold of every script.
private struct QueueModel {
    enum State { case queued, running, over }
    var turns: [(id: TurnID, session: SessionID, state: State)] = []
    var isHere = false

    mutating func step(_ queue: inout TurnQueue, _ random: inout SplitMix) -> String? {
        let running = turns.indices.filter { turns[$0].state == .running }
        switch Int.random(in: 0..<6, using: &random) {
        case 0, 1:
            let session = SessionID(rawValue: ["a", "b", "c"].randomElement(using: &random) ?? "a")
            let id = TurnID(rawValue: Int64(turns.count + 1))
            turns.append((id, session, .queued))
            return apply(queue.accepted(id, in: session))
        case 2:
            isHere.toggle()
            return apply(queue.agentIs(isHere ? .here : .away("away")))
        case 3:
            guard let index = running.randomElement(using: &random) else { return nil }
            turns[index].state = .over
            return apply(queue.ended(turns[index].id, in: turns[index].session))
        case 4:
            guard let index = running.randomElement(using: &random) else { return nil }
            turns[index].state = .queued
            isHere = false
            return apply(queue.notDelivered(turns[index].id, in: turns[index].session, why: "away"))
        case _:
            guard let turn = turns.randomElement(using: &random) else { return nil }
            let gone = queue.withdraw(turn.id, in: turn.session)
            let expected: [TurnID] = turn.state == .queued ? [turn.id] : []
            if gone.queued != expected || (gone.running == nil) != (turn.state != .running) {
                return "withdrew \(gone)"
            }
            for index in turns.indices where gone.queued.contains(turns[index].id) { turns[index].state = .over }
            return nil
        }
    }

    private mutating func apply(_ actions: [TurnQueue.Action]) -> String? {
        for case .begin(let id, let session) in actions {
            guard isHere else { return "\(id) began while the agent is away" }
            guard let index = turns.firstIndex(where: { $0.id == id }), turns[index].state == .queued else {
                return "\(id) began and is not queued"
            }
            let others = turns.filter { $0.session == session }
            if others.contains(where: { $0.state == .running }) { return "\(id) began beside another of its session" }
            if others.first(where: { $0.state == .queued })?.id != id { return "\(id) began out of order" }
            turns[index].state = .running
        }
        let stuck = Set(turns.filter { $0.state == .queued }.map(\.session))
            .subtracting(turns.filter { $0.state == .running }.map(\.session))
        return isHere && !stuck.isEmpty ? "nothing runs in \(stuck) although the agent is here" : nil
    }
}
