/// Where a turn stands: always exactly one of these, also after any crash.
public enum TurnState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Stored; the agent has not seen it.
    case queued
    /// Handed to the agent, or just about to be. Never handed over a second time without the user's word.
    case running
    /// The agent finished.
    case done
    /// It was stopped, or something went away; the reason says what.
    case interrupted
    /// It could not be done; the reason says why.
    case failed

    /// Nothing more comes.
    public var isOver: Bool {
        switch self {
        case .queued, .running: false
        case .done, .interrupted, .failed: true
        }
    }
}
