import ArgumentParser

/// Which line of opencode it speaks for.
enum Line: String, ExpressibleByArgument, CaseIterable, Sendable {
    case v1, v2

    /// As its API says it; the build part says what it is.
    var version: String {
        switch self {
        case .v1: "1.18.34+echo-agent.0.1.0"
        case .v2: "2.1.2+echo-agent.0.1.0"
        }
    }

    /// What it prints when it listens.
    func readyLine(_ url: String) -> String {
        switch self {
        case .v1: "opencode server listening on \(url)\n"
        case .v2: "server listening on \(url)\n"
        }
    }

    /// Pause between heartbeats.
    var heartbeat: Duration {
        switch self {
        case .v1: .seconds(10)
        case .v2: .seconds(15)
        }
    }
}
