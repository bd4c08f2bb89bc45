/// What a turn is done with; nil leaves it to the agent's own settings.
public struct TurnChoice: Hashable, Sendable, Codable {
    /// `PROVIDER/MODEL`, as `ModelEntry.id`.
    public var model: String?
    /// The name of one of the agent's agents, as `AgentEntry.name`.
    public var agent: String?

    /// Nothing is chosen, unless it is said.
    public init(model: String? = nil, agent: String? = nil) {
        self.model = model
        self.agent = agent
    }

    /// Longest id or name in bytes.
    public static let limit = 200
}

/// Something that can be chosen or called; one frame of the answer to `catalog`.
public enum CatalogEntry: Hashable, Sendable {
    case model(ModelEntry)
    case agent(AgentEntry)
    case command(CommandEntry)

    /// Entries of each kind that are told.
    public static let limit = 1000
}

/// A model of a provider that the agent has credentials for.
public struct ModelEntry: Hashable, Sendable, Codable {
    /// `PROVIDER/MODEL`; the model's own id may have further slashes.
    public var id: String
    /// For people.
    public var name: String
    /// The provider's name for people.
    public var provider: String
    /// Tokens that fit into one conversation; 0: not known.
    public var context: Int

    /// All fields, cut to what fits a frame.
    public init(id: String, name: String, provider: String, context: Int = 0) {
        self.id = id
        self.name = name.cut(to: 200)
        self.provider = provider.cut(to: 200)
        self.context = context
    }
}

/// A way to work that a session may take ("build", "plan").
public struct AgentEntry: Hashable, Sendable, Codable {
    /// Its name.
    public var name: String
    /// One line; may be empty.
    public var description: String

    /// Both, cut to what fits a frame.
    public init(name: String, description: String) {
        self.name = name
        self.description = description.cut(to: 500)
    }
}

/// A slash command: a message that begins with `/` and its name is that command.
public struct CommandEntry: Hashable, Sendable, Codable {
    /// Without the slash.
    public var name: String
    /// One line; may be empty.
    public var description: String

    /// Both, cut to what fits a frame.
    public init(name: String, description: String) {
        self.name = name
        self.description = description.cut(to: 500)
    }
}

// The JSON: an object with one field, named after what it is.
extension CatalogEntry: Codable {
    private enum Key: String, CodingKey {
        case model, agent, command
    }

    /// `{"model":{…}}` · `{"agent":{…}}` · `{"command":{…}}`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        if let model = try fields.decodeIfPresent(ModelEntry.self, forKey: .model) {
            self = .model(model)
        } else if let agent = try fields.decodeIfPresent(AgentEntry.self, forKey: .agent) {
            self = .agent(agent)
        } else {
            self = .command(try fields.decode(CommandEntry.self, forKey: .command))
        }
    }

    /// As `init(from:)` reads it.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch self {
        case .model(let model): try fields.encode(model, forKey: .model)
        case .agent(let agent): try fields.encode(agent, forKey: .agent)
        case .command(let command): try fields.encode(command, forKey: .command)
        }
    }
}
