public import AgentModel

/// What a client wants to be different from now on about model and agent.
public struct ChoiceChange: Hashable, Sendable {
    /// `model`.
    public var model: Field
    /// `agent`.
    public var agent: Field

    /// One of the two.
    public enum Field: Hashable, Sendable {
        /// As it was.
        case keep
        /// This; nil: as the agent has it.
        case set(String?)

        func applied(to old: String?) -> String? {
            switch self {
            case .keep: old
            case .set(let new): new
            }
        }

        var name: String? { applied(to: nil) }
    }

    /// Both stay, unless it is said otherwise.
    public init(model: Field = .keep, agent: Field = .keep) {
        self.model = model
        self.agent = agent
    }

    /// True when nothing is to change.
    public var isNothing: Bool { self == ChoiceChange() }

    /// What holds then.
    public func applied(to old: TurnChoice) -> TurnChoice {
        TurnChoice(model: model.applied(to: old.model), agent: agent.applied(to: old.agent))
    }

    /// Refuses what can be no name.
    func check() throws {
        for name in [model.name, agent.name].compactMap({ $0 }) {
            guard (1...TurnChoice.limit).contains(name.utf8.count), !name.utf8.contains(0) else {
                throw ChatError(
                    .badRequest,
                    "the name of a model or agent has 1 to \(TurnChoice.limit) bytes, and no U+0000 among them")
            }
        }
    }
}
