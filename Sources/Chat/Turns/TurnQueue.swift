/// Which turn goes to the agent when: one at a time in a session, in the order in which they were accepted, several
/// sessions beside each other, and none while the agent is away. Pure: events in, actions out.
public struct TurnQueue: Sendable {
    /// What is known of the agent.
    public enum Agent: Hashable, Sendable {
        /// It takes turns, as far as is known.
        case here
        /// It does not, for this reason.
        case away(String)
    }

    /// What is to be done.
    public enum Action: Hashable, Sendable {
        /// Hand this turn over now.
        case begin(TurnID, SessionID)
        /// Tell those who watch that this turn waits, and for what.
        case wait(TurnID, SessionID, why: String)
    }

    /// What of a session was withdrawn.
    public struct Withdrawn: Hashable, Sendable {
        /// Turns that will not be handed over any more.
        public var queued: [TurnID]
        /// The turn that is with the agent and has to be stopped there.
        public var running: TurnID?

        /// Both.
        public init(queued: [TurnID], running: TurnID?) {
            self.queued = queued
            self.running = running
        }
    }

    private struct Lane: Sendable {
        var running: TurnID?
        var queued: [TurnID] = []
    }

    /// The agent.
    public private(set) var agent: Agent
    private var lanes: [SessionID: Lane] = [:]

    /// Nothing queued.
    public init(agent: Agent) { self.agent = agent }

    /// Which turns are with the agent.
    var running: [(turn: TurnID, session: SessionID)] {
        lanes.compactMap { session, lane in lane.running.map { (turn: $0, session: session) } }
    }
    /// Turns with the agent.
    public var runningCount: Int { lanes.values.count { $0.running != nil } }
    /// Turns that wait.
    public var queuedCount: Int { lanes.values.reduce(0) { $0 + $1.queued.count } }

    /// A turn is stored as queued.
    public mutating func accepted(_ turn: TurnID, in session: SessionID) -> [Action] {
        // By number: two that were stored at the same time may be told of in the other order.
        var queued = lanes[session]?.queued ?? []
        queued.insert(turn, at: queued.firstIndex { $0 > turn } ?? queued.count)
        lanes[session, default: Lane()].queued = queued
        let next = advance(session)
        return next.isEmpty ? [.wait(turn, session, why: reasonToWait(in: session))] : next
    }

    /// A turn is with the agent already, from before.
    public mutating func resumed(_ turn: TurnID, in session: SessionID) {
        lanes[session, default: Lane()].running = turn
    }

    /// Something was learned about the agent.
    public mutating func agentIs(_ agent: Agent) -> [Action] {
        guard agent != self.agent else { return [] }
        self.agent = agent
        switch agent {
        case .here: return inOrder(lanes.keys).flatMap { advance($0) }
        case .away: return waiting()
        }
    }

    /// A turn that was begun is over.
    public mutating func ended(_ turn: TurnID, in session: SessionID) -> [Action] {
        guard lanes[session]?.running == turn else { return [] }
        lanes[session]?.running = nil
        return advance(session)
    }

    /// A turn that was begun has not reached the agent, for this reason: it is the next one of its session again.
    public mutating func notDelivered(_ turn: TurnID, in session: SessionID, why: String) -> [Action] {
        guard lanes[session]?.running == turn else { return [] }
        lanes[session]?.running = nil
        lanes[session]?.queued.insert(turn, at: 0)
        agent = .away(why)
        return waiting()
    }

    /// The user takes back one turn of a session, or (nil) all of them.
    public mutating func withdraw(_ turn: TurnID?, in session: SessionID) -> Withdrawn {
        guard var lane = lanes[session] else { return Withdrawn(queued: [], running: nil) }
        let gone = lane.queued.filter { turn == nil || $0 == turn }
        lane.queued.removeAll { gone.contains($0) }
        lanes[session] = lane.running == nil && lane.queued.isEmpty ? nil : lane
        let running = turn == nil || lane.running == turn ? lane.running : nil
        return Withdrawn(queued: gone, running: running)
    }

    /// Why this turn has not begun; nil if it has, or is not known.
    public func reasonToWait(_ turn: TurnID, in session: SessionID) -> String? {
        guard let lane = lanes[session], lane.queued.contains(turn) else { return nil }
        return reasonToWait(in: session)
    }

    private static let notYet = "an earlier message of this session comes first"

    private func reasonToWait(in session: SessionID) -> String {
        if lanes[session]?.running != nil { return Self.notYet }
        switch agent {
        case .here: return Self.notYet
        case .away(let why): return why
        }
    }

    private func waiting() -> [Action] {
        inOrder(lanes.keys).flatMap { session in
            lanes[session, default: Lane()].queued.map { .wait($0, session, why: reasonToWait(in: session)) }
        }
    }

    // Dictionaries have no order, and what is done must not depend on chance.
    private func inOrder(_ sessions: some Sequence<SessionID>) -> [SessionID] {
        sessions.sorted { $0.rawValue < $1.rawValue }
    }

    private mutating func advance(_ session: SessionID) -> [Action] {
        guard agent == .here, var lane = lanes[session], lane.running == nil else { return [] }
        guard let next = lane.queued.first else {
            lanes[session] = nil
            return []
        }
        lane.queued.removeFirst()
        lane.running = next
        lanes[session] = lane
        return [.begin(next, session)]
    }
}
