import ArgumentParser
import ControlClient

/// Which nexusd is meant; every command takes these.
struct Place: ParsableArguments {
    @Option(help: ArgumentHelp("Directory of the control socket.", valueName: "dir"))
    var runtime: String?

    @Option(help: ArgumentHelp("Directory of logs and databases.", valueName: "dir"))
    var state: String?

    /// The two directories.
    func locations() throws(ControlError) -> Locations { try .ofThisProcess(state: state, runtime: runtime) }

    /// A connection to that nexusd.
    func connect() throws(ControlError) -> ControlConnection {
        try ControlConnection(socket: locations().controlSocket)
    }

    /// ArgumentParser knows options of a command only after its name; people write these before it as well.
    static func hoisted(_ arguments: [String]) -> [String] {
        var leading: [String] = []
        var rest = arguments[...]
        while let word = rest.first {
            if word.hasPrefix("--runtime=") || word.hasPrefix("--state=") {
                leading.append(word)
                rest = rest.dropFirst()
            } else if word == "--runtime" || word == "--state", rest.count > 1 {
                leading += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        guard let command = rest.first, !command.hasPrefix("-") else { return arguments }
        return [command] + leading + rest.dropFirst()
    }
}
