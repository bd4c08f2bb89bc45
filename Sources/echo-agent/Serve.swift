import ArgumentParser
import Foundation
import Logging

/// `echo-agent serve`: prints one line when it listens, serves until a signal ends it.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves opencode's API on the loopback interface.",
        discussion: """
            OPENCODE_SERVER_PASSWORD must be set; OPENCODE_SERVER_USERNAME is "opencode" if it is not. Every request \
            needs them (HTTP Basic, or ?auth_token= with the base64 of user:password). With --line v2 the user is \
            always "opencode", and OPENCODE_PASSWORD comes before the other.
            Both lines show the same sessions and do the same prompts. 2.x has no list of things to do, so /todo \
            shows nothing there.
            Sessions are kept in --state; without it in $XDG_DATA_HOME/echo-agent or $HOME/.local/share/echo-agent.

            Prompts with a meaning of their own, for tests:
              /slow N   answers N words, one each 100 ms (N at most \(Answer.slowLimit))
              /tool, /reasoning, /todo, /diff   do what they say, as if
              /permission, /question, /subagent   ask first (/subagent in a session of its own)
              /error, /401, /429   an error of the provider: for good, a wrong key, twice before it works
              /stall N   says nothing for N seconds; /crash   dies in the middle
              /long N   answers N words of \(Answer.longWord) bytes (N at most \(Answer.longLimit))
            """)

    @Option(help: "Line of opencode to speak for: v1 (1.x) or v2 (2.x).")
    var line = Line.v1

    @Option(help: "Loopback address to listen on.")
    var hostname = "127.0.0.1"

    @Option(help: "Port; 0 tries 4096, then any free one. A port that is given and busy is an error.")
    var port = 0

    @Option(help: "Milliseconds before each word of an answer.")
    var delayMs = 20

    @Option(help: "Directory to keep sessions in; made if it is missing.")
    var state: String?

    @Option(
        help: "Sessions kept; one more removes the one that was not used for longest (1 to \(EchoAgent.sessionLimit)).")
    var sessions = EchoAgent.sessionLimit

    @Flag(help: "As if there were no model provider: every turn fails.")
    var noProvider = false

    // For tests of what the agent may write.
    @Option(help: .hidden)
    var note: String?

    @Flag(help: "Log to stderr.")
    var printLogs = false

    @Option(help: "DEBUG, INFO, WARN or ERROR.")
    var logLevel = LogLevel.info

    /// opencode's names of levels.
    enum LogLevel: String, ExpressibleByArgument {
        case debug = "DEBUG"
        case info = "INFO"
        case warn = "WARN"
        case error = "ERROR"

        var level: Logger.Level {
            switch self {
            case .debug: .debug
            case .info: .info
            case .warn: .warning
            case .error: .error
            }
        }
    }

    func validate() throws {
        guard ["127.0.0.1", "localhost", "::1"].contains(hostname) else {
            throw ValidationError("echo-agent listens on the loopback interface only: --hostname 127.0.0.1")
        }
        guard (0...65_535).contains(port) else { throw ValidationError("--port is 0 to 65535") }
        guard (0...60_000).contains(delayMs) else { throw ValidationError("--delay-ms is 0 to 60000") }
        guard (1...EchoAgent.sessionLimit).contains(sessions) else {
            throw ValidationError("--sessions is 1 to \(EchoAgent.sessionLimit)")
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let names = line == .v2 ? ["OPENCODE_PASSWORD", "OPENCODE_SERVER_PASSWORD"] : ["OPENCODE_SERVER_PASSWORD"]
        guard let password = names.compactMap({ environment[$0] }).first(where: { !$0.isEmpty }) else {
            throw StartError(
                "OPENCODE_SERVER_PASSWORD is not set. echo-agent serves nobody without a password: set it, to anything, "
                    + "in its environment (nexus does, from [secret.…] in Supervisor.toml).")
        }
        let level: Logger.Level = printLogs ? logLevel.level : .critical
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let given = environment["OPENCODE_SERVER_USERNAME"].flatMap { $0.isEmpty ? nil : $0 }
        let user = line == .v1 ? given ?? "opencode" : "opencode"
        let agent = try EchoAgent(
            directory: try stateDirectory(environment), pause: .milliseconds(delayMs), broker: EventBroker(line),
            sessionLimit: sessions, hasProvider: !noProvider, note: note)
        let server = Server(agent: agent, credentials: Credentials(user: user, password: password), hostname: hostname)
        try await server.run(port: port)
    }

    private func stateDirectory(_ environment: [String: String]) throws -> URL {
        if let state { return URL(fileURLWithPath: state) }
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") {
            return URL(fileURLWithPath: data).appendingPathComponent("echo-agent")
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw StartError("neither --state nor XDG_DATA_HOME nor HOME is set: nowhere to keep sessions")
        }
        return URL(fileURLWithPath: home).appendingPathComponent(".local/share/echo-agent")
    }
}
