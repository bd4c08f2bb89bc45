import ArgumentParser
import NexusConfiguration
import Plan
import Wire

/// `nexus-config agent`: what `nexusctl agent` and `nexusctl doctor` have to know of the child that is opencode, or stands in for
/// it, as the file has it now.
struct DescribeAgent: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Describes the child that is opencode, for nexusctl.", shouldDisplay: false)

    @Argument(help: "Supervisor.toml.") var file: String?
    @Option(help: "The state directory.") var state: String?
    @Option(help: "The runtime directory.") var runtime: String?
    @Option(help: "What the child is, or is called.") var program = "opencode"

    func run() throws {
        let defaults = Defaults()
        let config = file ?? defaults.config
        let state = self.state ?? defaults.state
        let places = Places(
            config: Defaults.absolute(config), name: config, state: Defaults.absolute(state),
            runtime: Defaults.absolute(runtime ?? defaults.runtime(state: state)), bin: defaults.bin)
        do {
            let plan = try SupervisorFile.load(places).plan
            try Output.show(AgentDescription(plan, program, config: places.config).json + "\n")
        } catch let unwritten as Unwritten {
            throw unwritten
        } catch {
            throw Refusal(words: "\(error)")
        }
    }
}

/// The child, and where it works.
private struct AgentDescription {
    let plan: Plan
    let program: String
    let config: String

    init(_ plan: Plan, _ program: String, config: String) {
        self.plan = plan
        self.program = program
        self.config = config
    }

    private var child: ChildPlan? {
        plan.children.first { $0.name == program } ?? plan.children.first { $0.executable.hasSuffix("/" + program) }
    }

    /// What a value is before the child is spawned; nil for a secret, and for what a sibling says of itself.
    private func literal(_ text: Text) -> String? {
        var whole = ""
        for piece in text.pieces {
            guard case .literal(let part) = piece else { return nil }
            whole += part
        }
        return whole
    }

    /// As agent-worker is told them.
    private var workspaces: String? {
        plan.children.lazy.flatMap(\.environment).first { $0.name == "NEXUS_WORKSPACES" }.flatMap { literal($0.value) }
    }

    var json: String {
        var json = JSONWriter(capacity: 4096)
        json.object { json in
            json.field("config", config)
            guard let child else { return json.null("child") }
            json.field("child", child.name)
            json.field("executable", child.executable)
            json.field("stand_in", child.executable.hasSuffix("/echo-agent"))
            if let identity = child.identity {
                json.field("user", identity.user)
                json.field("uid", identity.uid)
                json.field("gid", identity.gid)
                json.array("groups") { json in for group in identity.groups { json.value(group) } }
            }
            json.field("directory", child.directory)
            json.field("umask", child.umask)
            json.object("environment") { json in
                for variable in child.environment {
                    if let value = literal(variable.value) { json.field(variable.name, value) }
                }
            }
            json.raw("workspaces", (workspaces ?? "[]").utf8)
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}
