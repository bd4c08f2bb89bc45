import AgentModel
import Foundation
import Glibc
import OpenCode
import WorkerKit

/// What Supervisor.toml gave this process.
struct Settings {
    /// opencode's HTTP Basic user.
    let user: String
    /// From the file `opencode-password` in $CREDENTIALS_DIRECTORY; never logged.
    let password: String
    let workspaces: [Workspace]
    /// The uid that opencode runs as; only a listener of that uid is given the password.
    let agentUID: UInt32
    /// What is said to the agent when nobody answers it.
    let policy: AnswerPolicy

    /// Longest password file in bytes.
    static let passwordLimit = 4096

    init(_ environment: [String: String]) throws(Worker.ConfigurationError) {
        user = environment["OPENCODE_SERVER_USERNAME"].flatMap { $0.isEmpty ? nil : $0 } ?? "opencode"
        password = try Self.password(environment)
        workspaces = try Self.workspaces(environment)
        policy = try Self.policy(environment)
        agentUID = try Self.agentUID(environment)
    }

    /// Without the variable opencode runs as this worker does.
    private static func agentUID(_ environment: [String: String]) throws(Worker.ConfigurationError) -> UInt32 {
        guard let text = environment["NEXUS_AGENT_UID"] else { return geteuid() }
        guard let uid = UInt32(text) else {
            throw Worker.ConfigurationError("NEXUS_AGENT_UID is '\(text)', no uid: set it to {opencode.uid}")
        }
        return uid
    }

    /// `[agent]` as nexus-config writes it; a Supervisor.toml that does not hand it on gets the defaults.
    private static func policy(_ environment: [String: String]) throws(Worker.ConfigurationError) -> AnswerPolicy {
        struct Form: Decodable {
            var permission: PermissionReply
            var timeout: Int64

            private enum CodingKeys: String, CodingKey {
                case permission = "permission-default"
                case timeout = "answer-timeout-milliseconds"
            }
        }
        guard let json = environment["NEXUS_AGENT"] else { return AnswerPolicy() }
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(json.utf8)), form.timeout > 0 else {
            throw Worker.ConfigurationError("NEXUS_AGENT is not what {agent} gives: set it to that, or leave it out")
        }
        return AnswerPolicy(permission: form.permission, timeout: .milliseconds(form.timeout))
    }

    private static func password(_ environment: [String: String]) throws(Worker.ConfigurationError) -> String {
        guard let directory = environment["CREDENTIALS_DIRECTORY"] else {
            throw Worker.ConfigurationError(
                "no CREDENTIALS_DIRECTORY: give agent-worker the secret opencode-password in Supervisor.toml")
        }
        let path = directory + "/opencode-password"
        guard let data = FileManager.default.contents(atPath: path), data.count <= passwordLimit,
            let text = String(data: data, encoding: .utf8)
        else { throw Worker.ConfigurationError("cannot read \(path) (at most \(passwordLimit) bytes of UTF-8)") }
        let password = text.trimmingCharacters(in: .newlines)
        guard !password.isEmpty else { throw Worker.ConfigurationError("\(path) is empty") }
        return password
    }

    private static func workspaces(_ environment: [String: String]) throws(Worker.ConfigurationError) -> [Workspace] {
        guard let json = environment["NEXUS_WORKSPACES"] else {
            throw Worker.ConfigurationError("no NEXUS_WORKSPACES: set it to {workspaces} in [child.agent-worker]")
        }
        guard let list = try? JSONDecoder().decode([Workspace].self, from: Data(json.utf8)), !list.isEmpty else {
            throw Worker.ConfigurationError(
                "NEXUS_WORKSPACES is not a JSON array of {\"name\",\"path\"} with at least one element")
        }
        for workspace in list where !workspace.path.hasPrefix("/") {
            throw Worker.ConfigurationError("workspace \(workspace.name): the path \(workspace.path) is not absolute")
        }
        return list
    }
}

/// A directory that the agent may work in.
struct Workspace: Decodable, Hashable, Sendable {
    var name: String
    var path: String

    /// True for the directory itself, by either of its names when it is a symbolic link.
    func isPlace(_ directory: String) -> Bool {
        directory == path
            || URL(fileURLWithPath: directory).resolvingSymlinksInPath()
                == URL(fileURLWithPath: path).resolvingSymlinksInPath()
    }
}
