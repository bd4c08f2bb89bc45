import SupervisorCore

/// What nexus-config is run for.
enum ConfigTask {
    /// To make the plan of the file; `looks`: and to change nothing on disk.
    case plan(looks: Bool)
    /// To record what owners chose by command; nil: the file decides again.
    case record([(name: String, choice: Choice?)])

    /// Its command line, without the program's name.
    func arguments(_ directories: Directories, binaries: String) -> [String] {
        switch self {
        case .plan(let looks):
            [
                "plan", "--config", directories.config, "--state", directories.state, "--runtime",
                directories.runtime, "--bin", binaries,
            ] + (looks ? ["--dry-run"] : [])
        case .record(let choices):
            ["record", "--state", directories.state]
                + choices.map { $0.name + "=" + ($0.choice.map(\.word) ?? "file") }
        }
    }
}

extension Choice {
    /// As in `status` and on nexus-config's command line.
    var word: String {
        switch self {
        case .off: "off"
        case .on: "on"
        }
    }
}
