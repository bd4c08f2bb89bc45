/// What there is to choose from, each of which says what it is: agents, one provider with its models, commands.
enum Catalog {
    static let agentName = "echo"
    static let providerID = "nexus"
    static let modelID = "echo"
    /// A model that costs something, as if.
    static let meterID = "meter"

    /// Answer of GET /agent.
    static let agents = [
        Agent(),
        Agent(name: capitals, description: "The same in capital letters"),
        Agent(name: "helper", description: "Only other agents call it", mode: "subagent"),
    ]
    static let capitals = "capitals"
    /// Answer of GET /command.
    static let commands = [
        Command(name: "twice", description: "Says your words twice", template: "$ARGUMENTS $ARGUMENTS")
    ]
    /// Answer of GET /config/providers.
    static let configured = Configured(providers: [Provider()], default: [providerID: modelID])
    /// The same where nobody logged in.
    static let none = Configured(providers: [], default: [:])
    /// Answer of GET /provider.
    static let all = All(all: [Provider()], default: [providerID: modelID], connected: [providerID])

    /// Why a model or an agent cannot be had; nil when it can.
    static func objection(to user: MessageInfo) -> MessageInfo.Problem? {
        if let model = user.model, model.providerID != providerID || ![modelID, meterID].contains(model.modelID) {
            return .unknown("Model not found: \(model.providerID)/\(model.modelID).")
        }
        guard !agents.contains(where: { $0.name == user.agent }) else { return nil }
        return .unknown("Agent not found: \"\(user.agent)\". Available agents: \(agentName), \(capitals)")
    }

    struct Command: Encodable, Sendable {
        var name: String
        var description: String
        var source = "command"
        var template: String
        var hints = ["$ARGUMENTS"]
    }

    struct Agent: Encodable, Sendable {
        var name = agentName
        var description = "Nexus' built-in echo agent: not an AI, repeats what you write"
        var mode = "primary"
        var native = true
        var permission: [String] = []
        var options: [String: String] = [:]
    }

    struct Configured: Encodable, Sendable {
        var providers: [Provider]
        var `default`: [String: String]
    }

    struct All: Encodable, Sendable {
        var all: [Provider]
        var `default`: [String: String]
        var connected: [String]
    }

    struct Provider: Encodable, Sendable {
        var id = providerID
        var name = "Nexus (no model)"
        var source = "custom"
        var env: [String] = []
        var options: [String: String] = [:]
        var models = [
            modelID: Model(),
            meterID: Model(
                id: meterID, name: "Meter (not an AI; counts words, as if each cost a tenth of a cent)",
                cost: .init(input: Usage.price, output: Usage.price)),
        ]
    }

    struct Model: Encodable, Sendable {
        var id = modelID
        var providerID = Catalog.providerID
        var api = API()
        var name = "Echo (not an AI)"
        var capabilities = Capabilities()
        var cost = Cost()
        var limit = Limit()
        var status = "active"
        var options: [String: String] = [:]
        var headers: [String: String] = [:]
        // The schema wants a date; this is that of the first version.
        var releaseDate = "2026-11-23"

        enum CodingKeys: String, CodingKey {
            case id, providerID, api, name, capabilities, cost, limit, status, options, headers
            case releaseDate = "release_date"
        }

        struct API: Encodable, Sendable {
            var id = modelID
            var url = ""
            var npm = ""
        }

        struct Cost: Encodable, Sendable {
            /// Of a million tokens.
            var input = 0.0
            var output = 0.0
            var cache = Tokens.Cache()
        }

        struct Limit: Encodable, Sendable {
            var context = Prompt.textLimit
            var output = Answer.echoLimit
        }
    }

    struct Capabilities: Encodable, Sendable {
        var temperature = false
        var reasoning = false
        var attachment = false
        var toolcall = false
        var input = Kinds()
        var output = Kinds()
        var interleaved = false

        struct Kinds: Encodable, Sendable {
            var text = true
            var audio = false
            var image = false
            var video = false
            var pdf = false
        }
    }
}
